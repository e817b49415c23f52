//! TLS 1.3 with both keys pinned: no certificate authority, no dates, no names. Builds configurations only; sockets are
//! elsewhere.
//!
//! The protocol name (ALPN) and the certificate's common name carry the realm, so practice and real part at the first
//! message.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use subtle::ConstantTimeEq;

use super::keys::{IdentityKeys, KeyError, common_name, spki_fingerprint};
use crate::domain::Realm;

/// The protocol name of a realm.
pub fn alpn(realm: Realm) -> &'static [u8] {
    match realm {
        Realm::Real => b"menka/1",
        Realm::Practice => b"menka-practice/1",
    }
}

/// The name that a client must give to the TLS library. It is not sent and not checked.
///
/// # Errors
/// Never for this constant; the type asks for it.
pub fn server_name() -> Result<ServerName<'static>, KeyError> {
    ServerName::try_from("gate.invalid").map_err(|_| KeyError::Certificate)
}

/// The station's side: accepts exactly the peer that it says. With [`Peer::Anybody`] nothing but a pairing may be said.
///
/// # Errors
/// [`KeyError`] when the keys do not fit together.
pub fn client_config(keys: &IdentityKeys, peer: Peer) -> Result<Arc<ClientConfig>, KeyError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = Arc::new(Pinned { peer, realm: keys.realm(), provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| KeyError::Certificate)?
        .dangerous()
        .with_custom_certificate_verifier(pinned)
        .with_client_auth_cert(vec![certificate(keys)], private_key(keys))
        .map_err(|_| KeyError::Certificate)?;
    config.alpn_protocols = vec![alpn(keys.realm()).to_vec()];
    config.enable_sni = false;
    // Every connection proves both keys anew.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The gate's side: accepts exactly the peer that it says.
///
/// # Errors
/// [`KeyError`] when the keys do not fit together.
pub fn server_config(keys: &IdentityKeys, peer: Peer) -> Result<Arc<ServerConfig>, KeyError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = Arc::new(Pinned { peer, realm: keys.realm(), provider: provider.clone() });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| KeyError::Certificate)?
        .with_client_cert_verifier(pinned)
        .with_single_cert(vec![certificate(keys)], private_key(keys))
        .map_err(|_| KeyError::Certificate)?;
    config.alpn_protocols = vec![alpn(keys.realm()).to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn certificate(keys: &IdentityKeys) -> CertificateDer<'static> {
    CertificateDer::from(keys.tls_cert_der().to_vec())
}

fn private_key(keys: &IdentityKeys) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(keys.tls_pkcs8().to_vec()))
}

/// Whose key is accepted in a handshake. The realm must fit and the signature is checked, whoever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Nobody: not paired.
    Nobody,
    /// The owner of the key with this fingerprint.
    Only([u8; 32]),
    /// Any key: while a pairing code is shown. What may be said then is decided behind the handshake.
    Anybody,
}

/// Judges the peer's certificate. The signature of the handshake is checked as well: a pin alone proves nothing, a certificate is
/// public.
#[derive(Debug)]
struct Pinned {
    peer: Peer,
    realm: Realm,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn judge(&self, certificate: &[u8]) -> Result<(), Error> {
        let found = spki_fingerprint(certificate).ok_or(CertificateError::BadEncoding)?;
        if !subject_is(certificate, common_name(self.realm)) {
            return Err(CertificateError::NotValidForName.into());
        }
        match self.peer {
            Peer::Anybody => Ok(()),
            Peer::Only(pin) if bool::from(pin.ct_eq(&found)) => Ok(()),
            Peer::Only(_) | Peer::Nobody => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn judge_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }
}

fn subject_is(certificate: &[u8], name: &str) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let mut names = parsed.subject().iter_common_name().map(|n| n.as_str().unwrap_or_default());
    names.next() == Some(name) && names.next().is_none()
}

fn old_tls() -> Error {
    Error::General("TLS 1.3 only".into())
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old_tls())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old_tls())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
