//! One TLS connection to one gate, every step of it within a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{AlertDescription, CertificateError, ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use crate::network;
use crate::ports::{LinkError, Networks};
use crate::wire::frame::{FrameError, read_body, write_body};
use crate::wire::keys::{IdentityKeys, spki_fingerprint};
use crate::wire::message::{FRAME_MAX, REPLY_MAX};
use crate::wire::pairing::EXPORTER;
use crate::wire::tls::{self, Peer};

/// A connection whose handshake is over.
pub(super) struct Connection {
    stream: StreamOwned<ClientConnection, Timed>,
}

/// Why an exchange failed.
pub(super) enum Trouble {
    /// The other side closed the connection: worth one new one.
    Gone,
    /// Anything else.
    Final(LinkError),
}

impl Trouble {
    pub(super) fn into_error(self) -> LinkError {
        match self {
            Self::Gone => LinkError::Away,
            Self::Final(error) => error,
        }
    }
}

impl Connection {
    /// Connects over one of the `networks` and shakes hands; the gate must be the `peer`.
    pub(super) fn open(
        keys: &IdentityKeys,
        address: SocketAddr,
        peer: Peer,
        until: Instant,
        networks: &Networks,
    ) -> Result<Self, LinkError> {
        let config = tls::client_config(keys, peer).map_err(|_| LinkError::Protocol)?;
        let name = tls::server_name().map_err(|_| LinkError::Protocol)?;
        let session = ClientConnection::new(config, name).map_err(|_| LinkError::Protocol)?;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
        let socket = socket.map_err(|_| LinkError::Away)?;
        network::keep_to(networks, &socket, address)?;
        let left = remaining(until).ok_or(LinkError::Away)?;
        let connected = socket.connect_timeout(&address.into(), left).and_then(|()| socket.set_tcp_nodelay(true));
        connected.map_err(|_| LinkError::Away)?;
        let socket = TcpStream::from(socket);
        let mut stream = StreamOwned::new(session, Timed { socket, until });
        while stream.conn.is_handshaking() {
            if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                return Err(explain(&error));
            }
        }
        if stream.conn.alpn_protocol() != Some(tls::alpn(keys.realm())) {
            return Err(LinkError::OtherRealm);
        }
        Ok(Self { stream })
    }

    /// The fingerprint of the gate's key and the exporter of this connection.
    pub(super) fn proof(&self) -> Option<([u8; 32], [u8; 32])> {
        let gate = spki_fingerprint(self.stream.conn.peer_certificates()?.first()?)?;
        let exporter = self.stream.conn.export_keying_material([0u8; 32], EXPORTER, None).ok()?;
        Some((gate, exporter))
    }

    /// Sends one body and waits for one.
    pub(super) fn exchange(&mut self, body: &[u8], until: Instant) -> Result<Vec<u8>, Trouble> {
        self.stream.sock.until = until;
        let written = write_body(&mut self.stream, body, FRAME_MAX);
        // Read even if writing failed: a gate that refuses our key says so and then closes.
        let answer = read_body(&mut self.stream, REPLY_MAX);
        match (written, answer) {
            (_, Ok(answer)) => Ok(answer),
            (_, Err(FrameError::Closed)) => Err(Trouble::Gone),
            (_, Err(FrameError::Io(error))) => Err(trouble(&error)),
            (_, Err(FrameError::TooLong(_) | FrameError::Malformed)) => Err(Trouble::Final(LinkError::Protocol)),
        }
    }

    /// Whether nothing has come in since the last exchange: a closed or closing connection is not quiet.
    pub(super) fn is_quiet(&self) -> bool {
        let socket = &self.stream.sock.socket;
        if self.stream.conn.wants_write() || socket.set_nonblocking(true).is_err() {
            return false;
        }
        let quiet = matches!(socket.peek(&mut [0u8; 1]), Err(e) if e.kind() == ErrorKind::WouldBlock);
        socket.set_nonblocking(false).is_ok() && quiet
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Best effort: the gate frees its thread at once instead of at its time limit.
        self.stream.conn.send_close_notify();
        self.stream.sock.until = Instant::now() + Duration::from_millis(50);
        while self.stream.conn.wants_write() {
            if self.stream.conn.write_tls(&mut self.stream.sock).is_err() {
                break;
            }
        }
    }
}

/// A socket that fails with `TimedOut` once an instant has passed.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.socket.set_read_timeout(Some(remaining(self.until).ok_or(ErrorKind::TimedOut)?))?;
        self.socket.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.socket.set_write_timeout(Some(remaining(self.until).ok_or(ErrorKind::TimedOut)?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.socket.flush()
    }
}

fn remaining(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn trouble(error: &std::io::Error) -> Trouble {
    let reason = explain(error);
    let gone = matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
    );
    if gone && reason == LinkError::Away { Trouble::Gone } else { Trouble::Final(reason) }
}

/// Says what a failed step means for people. The TLS library hands its errors through `std::io::Error`.
fn explain(error: &std::io::Error) -> LinkError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        None => LinkError::Away,
        Some(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            LinkError::KeyChanged
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::NotValidForName)) => LinkError::OtherRealm,
        Some(rustls::Error::NoApplicationProtocol) => LinkError::OtherRealm,
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            AlertDescription::NoApplicationProtocol => LinkError::OtherRealm,
            AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA => LinkError::NotPaired,
            _ => LinkError::Protocol,
        },
        Some(_) => LinkError::Protocol,
    }
}
