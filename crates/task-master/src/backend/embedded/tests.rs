use super::*;

fn found(folder: &Path, asked: &str) -> Found {
    let environment = Environment::new(folder.to_owned(), None, std::iter::empty());
    find(&environment, Some(asked)).unwrap()
}

#[test]
fn a_model_with_an_adapter_is_another_model_on_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let plain = found(folder.path(), "base.gguf");
    let adapted = found(folder.path(), "base.gguf+team.gguf");
    assert_eq!((&adapted.path, adapted.id.as_str()), (&plain.path, "base.gguf+team.gguf"));
    assert_eq!(adapted.adapter, Some(folder.path().join("team.gguf")));
    assert_ne!(adapted.identity, plain.identity);
    fs::write(folder.path().join("team.gguf"), "trained again").unwrap();
    assert_ne!(found(folder.path(), "base.gguf+team.gguf").identity, adapted.identity);
}

#[test]
fn a_plus_in_the_name_of_a_file_or_folder_is_no_adapter() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.gguf+b.gguf"), "").unwrap();
    for asked in ["a.gguf+b.gguf", "c++/gone.gguf"] {
        let found = found(folder.path(), asked);
        assert_eq!((found.path, found.adapter), (folder.path().join(asked), None));
    }
}
