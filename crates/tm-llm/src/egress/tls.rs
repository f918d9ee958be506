//! Encryption for those who do not speak HTTP.
//!
//! A server is who its certificate says, as the system or a file of the user's vouches for it.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::EgressError;

/// Encrypts connections, trusting these PEM files besides the system's own certificates.
///
/// # Errors
/// [`EgressError::BadPem`], and [`EgressError::Verifier`] where the system trusts nobody.
pub(crate) fn connector(files: &[PathBuf]) -> Result<TlsConnector, EgressError> {
    let mut trusted = Vec::new();
    for path in files {
        let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let certificates: Vec<CertificateDer<'static>> =
            certificates.map_err(|source| EgressError::BadPem { path: path.clone(), source })?;
        trusted.extend(certificates);
    }
    let provider = Arc::new(ring::default_provider());
    let config = || {
        let verifier = Verifier::new_with_extra_roots(trusted, Arc::clone(&provider))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    };
    let config = config().map_err(|source| EgressError::Verifier { source })?;
    Ok(TlsConnector::from(Arc::new(config)))
}
