use super::*;

#[test]
fn addresses_are_shown_without_passwords() {
    for (address, shown) in [
        ("https://me:secret@pypi.example/simple/", "https://pypi.example/simple/"),
        ("https://pypi.example/a@b", "https://pypi.example/a@b"),
        ("http://me@host:8080", "http://host:8080"),
        ("no address", "no address"),
    ] {
        assert_eq!(without_secrets(address), shown);
    }
}

#[test]
fn certificates_that_are_missing_or_broken_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let config = NetworkConfig { certificates: vec![path.clone()], ..NetworkConfig::default() };
    assert!(matches!(http_client(&config).unwrap_err(), EgressError::Unreadable { .. }));

    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    std::fs::write(&path, broken).unwrap();
    let error = http_client(&config).unwrap_err();
    assert!(matches!(error, EgressError::NotPem { .. }), "{error:?}");
    assert!(error.to_string().contains("ca.pem"), "{error}");
}

#[test]
fn a_proxy_that_is_none_is_refused_without_its_password() {
    let proxy = Some("http://me:secret@[".to_owned());
    let config = NetworkConfig { https_proxy: proxy, ..NetworkConfig::default() };
    let error = http_client(&config).unwrap_err();
    assert!(matches!(error, EgressError::Proxy { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
