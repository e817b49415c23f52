//! The station's side of the channel to gates: blocking TLS 1.3 on the LAN, both keys pinned.
//!
//! A gate is met for the first time by a code that it shows; where it is may be looked for while somebody wants to pair.
//! One connection a gate is kept open and reused; a stale one is opened again once. Deliberately absent: name lookup,
//! trust on first use, any other network.

mod connection;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connection::{Connection, Trouble};
use search::Search;

use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, SiteId};
use crate::network;
use crate::ports::{FoundGate, GateLink, Lan, LinkError, Networks, PairError};
use crate::secret::PairingCode;
use crate::wire::address::lan_address;
use crate::wire::frame::{decode, encode};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{FRAME_MAX, Hello, PROTOCOL, REVISION, Refusal, Reply, Request};
use crate::wire::pairing::{Channel, PairingError, Station};
use crate::wire::tls::Peer;

/// The real [`GateLink`].
pub struct TlsLink {
    keys: Arc<IdentityKeys>,
    hello: Hello,
    open: BTreeMap<GateId, Kept>,
    search: Option<Search>,
    /// Gates that were sent a request.
    heard: BTreeSet<GateId>,
    networks: Networks,
}

/// A connection and what it was made for: a record that changed since is connected anew.
struct Kept {
    connection: Connection,
    address: SocketAddr,
    pin: [u8; 32],
    /// Of the choice of networks.
    choice: u64,
}

impl TlsLink {
    /// Takes the station's keys, whose realm every gate must share.
    pub fn new(keys: Arc<IdentityKeys>, site: SiteId) -> Self {
        let hello = Hello {
            protocol: PROTOCOL,
            realm: keys.realm().label().into(),
            id: *site.bytes(),
            seal_key: keys.seal_public(),
            sign_key: keys.sign_public(),
            version: concat!("menka ", env!("CARGO_PKG_VERSION")).into(),
            takes_faces: false,
            revision: Some(REVISION),
        };
        Self { keys, hello, open: BTreeMap::new(), search: None, heard: BTreeSet::new(), networks: Networks::default() }
    }

    /// Closes every open connection.
    pub fn hang_up(&mut self) {
        self.open.clear();
    }

    /// Connects and says hello. The gate's hello comes back, checked for version and realm.
    fn connect(&self, address: SocketAddr, pin: [u8; 32], until: Instant) -> Result<(Connection, Hello), LinkError> {
        let mut connection = Connection::open(&self.keys, address, Peer::Only(pin), until, &self.networks)?;
        let question = encode(&Request::Hello(self.hello.clone()));
        let reply = connection.exchange(&question, until).map_err(Trouble::into_error)?;
        let hello = match decode(&reply) {
            Ok(Reply::Hello(hello)) => hello,
            Ok(Reply::Refused(Refusal::Realm)) => return Err(LinkError::OtherRealm),
            Ok(Reply::Refused(Refusal::Envelope)) => return Err(LinkError::NotPaired),
            _ => return Err(LinkError::Protocol),
        };
        self.fits(&hello)?;
        Ok((connection, hello))
    }

    fn fits(&self, hello: &Hello) -> Result<(), LinkError> {
        if hello.protocol != PROTOCOL {
            return Err(LinkError::Protocol);
        }
        if hello.realm != self.keys.realm().label() {
            return Err(LinkError::OtherRealm);
        }
        Ok(())
    }

    /// Connects to a paired gate: the keys it states must be those it proved at pairing.
    fn connect_paired(
        &self,
        gate: &GateRecord,
        address: SocketAddr,
        until: Instant,
    ) -> Result<(Connection, Hello), LinkError> {
        let (connection, hello) = self.connect(address, gate.tls_pin, until)?;
        let same = hello.id == *gate.id.bytes() && hello.seal_key == gate.seal_key && hello.sign_key == gate.sign_key;
        if same { Ok((connection, hello)) } else { Err(LinkError::KeyChanged) }
    }

    /// Sends a request, which the gate may hear whatever comes back.
    fn exchange(
        &mut self,
        gate: GateId,
        connection: &mut Connection,
        question: &[u8],
        until: Instant,
    ) -> Result<Vec<u8>, Trouble> {
        self.heard.insert(gate);
        connection.exchange(question, until)
    }

    fn take_fresh(&mut self, gate: &GateRecord, address: SocketAddr) -> Option<Connection> {
        let kept = self.open.remove(&gate.id)?;
        let fits = kept.address == address && kept.pin == gate.tls_pin && kept.connection.is_quiet();
        let fits = fits && kept.choice == self.networks.number();
        fits.then_some(kept.connection)
    }
}

impl GateLink for TlsLink {
    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        let until = Instant::now() + limit;
        let address = lan_address(&gate.address).ok_or(LinkError::NotLan)?;
        let question = encode(request);
        // Taken before the connection is made: a choice in between makes it an old one.
        let choice = self.networks.number();
        if question.len() > FRAME_MAX {
            return Err(LinkError::Protocol);
        }
        let answer = match self.take_fresh(gate, address) {
            Some(mut connection) => match self.exchange(gate.id, &mut connection, &question, until) {
                Ok(answer) => Some((connection, answer)),
                // Every request may be repeated: operations by their id, a probe is answered as stale at worst.
                Err(Trouble::Gone) => None,
                Err(trouble) => return Err(trouble.into_error()),
            },
            None => None,
        };
        let (connection, answer) = match answer {
            Some(both) => both,
            None => {
                let (mut connection, _) = self.connect_paired(gate, address, until)?;
                let answer = self.exchange(gate.id, &mut connection, &question, until).map_err(Trouble::into_error)?;
                (connection, answer)
            }
        };
        let reply: Reply = decode(&answer).map_err(|_| LinkError::Protocol)?;
        match reply {
            Reply::Refused(Refusal::Realm) => Err(LinkError::OtherRealm),
            Reply::Refused(Refusal::Version) => Err(LinkError::Protocol),
            reply => {
                self.open.insert(gate.id, Kept { connection, address, pin: gate.tls_pin, choice });
                Ok(reply)
            }
        }
    }

    fn take_heard(&mut self, gate: GateId) -> bool {
        self.heard.remove(&gate)
    }

    fn pair(&mut self, address: &str, code: &PairingCode, limit: Duration) -> Result<(Hello, [u8; 32]), PairError> {
        let until = Instant::now() + limit;
        let address = lan_address(address).ok_or(LinkError::NotLan)?;
        let mut connection = Connection::open(&self.keys, address, Peer::Anybody, until, &self.networks)?;
        let (gate, exporter) = connection.proof().ok_or(LinkError::Protocol)?;
        let channel = Channel { realm: self.keys.realm(), exporter, station: self.keys.fingerprint(), gate };
        let (station, begin) = Station::begin(code, channel, self.hello.clone());
        // A gate that shows no code refuses our key: that is said in the answer.
        let share = connection.exchange(&encode(&begin), until).map_err(in_pairing)?;
        let (confirmed, confirm) = station.confirm(&share).map_err(refused)?;
        let proof = connection.exchange(&encode(&confirm), until).map_err(in_pairing)?;
        let (hello, pin) = confirmed.check(&proof).map_err(refused)?;
        self.fits(&hello)?;
        Ok((hello, pin))
    }

    fn keep_to(&mut self, networks: Networks) {
        self.networks = networks;
        self.hang_up();
    }

    fn network_to(&self, address: &str) -> Option<String> {
        network::interface_to(&self.networks, lan_address(address)?)
    }

    fn lans(&mut self) -> Vec<Lan> {
        search::lans(self.keys.realm())
    }

    fn search(&mut self, on: &str) -> Result<Vec<FoundGate>, LinkError> {
        if !self.search.as_ref().is_some_and(|search| search.is_on(on)) {
            self.search = None;
            self.search = Some(Search::open(on, self.keys.realm())?);
        }
        Ok(self.search.as_mut().map(Search::look).unwrap_or_default())
    }

    fn search_over(&mut self) {
        self.search = None;
    }
}

/// A gate that shows no code lets no stranger's key through.
fn in_pairing(trouble: Trouble) -> PairError {
    match trouble.into_error() {
        LinkError::NotPaired => PairError::NoCode,
        error => PairError::Link(error),
    }
}

fn refused(error: PairingError) -> PairError {
    match error {
        PairingError::OtherCode | PairingError::Refused(Refusal::OtherCode) => PairError::OtherCode,
        PairingError::Refused(Refusal::NoCode | Refusal::Envelope) => PairError::NoCode,
        PairingError::Refused(Refusal::Realm) => LinkError::OtherRealm.into(),
        // A gate of an earlier revision does not know pairing by code.
        PairingError::Refused(_) | PairingError::Malformed => LinkError::Protocol.into(),
    }
}
