use super::*;

const CONF: &str = "
[global]
index_url = https://one.example/simple
extra-index-url =
    https://two.example/simple
    https://three.example/simple  
# a comment
cert: /etc/ca.pem

[install]
index-url = https://other.example/simple
";

fn read(conf: &str, environment: &PipEnvironment) -> PipSettings {
    PipSettings::merge(environment, &global_section(conf))
}

#[test]
fn without_settings_there_is_pypi() {
    let settings = read("", &PipEnvironment::default());
    assert_eq!(settings.indexes, ["https://pypi.org/simple"]);
    assert_eq!((settings.certificates, settings.proxy), (None, None));
}

#[test]
fn a_file_says_what_counts_in_its_global_section() {
    let settings = read(CONF, &PipEnvironment::default());
    let hosts = ["one", "two", "three"].map(|it| format!("https://{it}.example/simple"));
    assert_eq!(settings.indexes, hosts);
    assert_eq!(settings.certificates, Some("/etc/ca.pem".into()));
}

#[test]
fn the_environment_overrides_the_files() {
    let environment = PipEnvironment {
        index_url: Some("https://mine.example".into()),
        extra_index_url: Some("https://a.example https://b.example".into()),
        proxy: Some("http://proxy:3128".into()),
        ..PipEnvironment::default()
    };
    let settings = read(CONF, &environment);
    let hosts = ["mine", "a", "b"].map(|it| format!("https://{it}.example"));
    assert_eq!(settings.indexes, hosts);
    assert_eq!(settings.proxy.as_deref(), Some("http://proxy:3128"));
}

#[test]
fn a_later_file_overrides_an_earlier_one() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, index: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("[global]\nindex-url = {index}\n")).unwrap();
        path
    };
    write(".config/pip/pip.conf", "https://user.example");
    let mut environment =
        PipEnvironment { home: Some(directory.path().into()), ..PipEnvironment::default() };
    assert_eq!(PipSettings::read(&environment).indexes, ["https://user.example"]);

    write("venv/pip.conf", "https://venv.example");
    environment.virtual_env = Some(directory.path().join("venv"));
    assert_eq!(PipSettings::read(&environment).indexes, ["https://venv.example"]);

    environment.config_file = Some(write("named.conf", "https://named.example"));
    assert_eq!(PipSettings::read(&environment).indexes, ["https://named.example"]);

    environment.config_file = Some("/dev/null".into());
    assert_eq!(PipSettings::read(&environment).indexes, ["https://pypi.org/simple"]);
}
