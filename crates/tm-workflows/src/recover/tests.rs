use std::{fs, path::PathBuf, process::Command, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::asking::fixture::asking;

/// A shop whose price is half of what it should be.
struct Shop {
    repository: TempDir,
    cache: TempDir,
}

const CODE: &str = "# The price.\necho $1\n";

/// Looks at enough that doubling is no chance.
const TEST: &str = "set -e
say() { echo \"error: price.sh: not $1\"; exit 1; }
[ \"$(sh price.sh 3)\" = 6 ] || say 6
[ \"$(sh price.sh 5)\" = 10 ] || say 10
[ \"$(sh price.sh 7)\" = 14 ] || say 14
";

impl Shop {
    fn new() -> Self {
        let shop =
            Self { repository: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
        shop.write("price.sh", CODE);
        shop.write("test.sh", TEST);
        Command::new("git")
            .args(["init", "-q"])
            .current_dir(shop.repository.path())
            .output()
            .unwrap();
        shop
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.repository.path().join(path), text).unwrap();
    }

    async fn scratch(&self) -> Arc<Scratch> {
        Scratch::of(self.repository.path(), self.cache.path()).await.unwrap()
    }

    fn names(&self) -> Vec<PathBuf> {
        let mut names: Vec<PathBuf> =
            fs::read_dir(self.repository.path()).unwrap().map(|it| it.unwrap().path()).collect();
        names.sort();
        names
    }

    async fn recovered(
        &self,
        recovery: &Recovery,
        model: &ScriptedModel,
    ) -> Result<Recovered, RecoverError> {
        let scratch = self.scratch().await;
        let Diagnosis::Fails(failure) = diagnose(&scratch, recovery).await.unwrap() else {
            panic!("the check passes")
        };
        let recovered = tried(&scratch, recovery, failure, model, true).await;
        // Whatever happened, the user's own files are as they were.
        assert_eq!(fs::read_to_string(self.repository.path().join("price.sh")).unwrap(), CODE);
        recovered
    }
}

async fn tried(
    scratch: &Arc<Scratch>,
    recovery: &Recovery,
    failure: Ran,
    model: &ScriptedModel,
    consent: bool,
) -> Result<Recovered, RecoverError> {
    let mut recovered = Recovered::of(failure);
    let work = (recovery, &mut recovered);
    recover(asking(model), scratch, work, async |_| consent).await?;
    Ok(recovered)
}

fn recovery(check: &str) -> Recovery {
    Recovery {
        check: check.to_owned(),
        allowed: Vec::new(),
        task: None,
        attempts: 2,
        changes_tests: false,
        bounds: Bounds { time: Duration::from_mins(1), without: Vec::new() },
    }
}

/// A model that changes the second line of price.sh to each of these.
fn writing(lines: &[&str]) -> ScriptedModel {
    playing(lines.iter().map(|it| format!("It is not doubled.\n```sh\n# The price.\n{it}\n```")))
}

fn playing(replies: impl IntoIterator<Item = String>) -> ScriptedModel {
    ScriptedModel::playing(replies.into_iter().map(Reply::Text))
}

#[tokio::test]
async fn a_later_attempt_begins_anew_and_knows_what_was_tried() {
    let shop = Shop::new();
    let model = writing(&["echo $(($1 + 1))", "echo $(($1 * 3))", "echo $(($1 * 2))"]);
    let recovery = Recovery { attempts: 3, ..recovery("sh test.sh") };
    let recovered = shop.recovered(&recovery, &model).await.unwrap();
    let Outcome::Resolved(patch) = &recovered.end else { panic!("{recovered:?}") };
    assert_eq!(patch.paths, ["price.sh"]);
    assert!(patch.text.contains("-echo $1\n+echo $(($1 * 2))\n"), "{}", patch.text);
    // No step changed what was printed, so that none was followed by another one.
    assert_eq!(recovered.attempts.iter().map(|it| it.steps.len()).collect::<Vec<_>>(), [1, 1, 1]);
    let seen = model.seen();
    let last = &seen.last().unwrap().messages[1].content;
    assert!(last.contains("echo $(($1 + 1))") && last.contains("This was tried before"), "{last}");
    assert!(last.contains("# The price.\necho $1\n"), "{last}");
    assert_eq!(fs::read_dir(shop.cache.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_made_for_the_check_is_not_called_resolved_and_another_way_is_looked_for() {
    let shop = Shop::new();
    let special = "case $1 in 3) echo 6;; 5) echo 10;; *) echo 14;; esac";
    let recovery = recovery("sh test.sh");
    let recovered = shop.recovered(&recovery, &writing(&[special, "echo $(($1 * 2))"])).await;
    let recovered = recovered.unwrap();
    let first = recovered.attempts[0].steps.last().unwrap();
    assert!(matches!(first.became, Became::Unproved(Doubt::Values(_))), "{first:?}");
    assert!(matches!(recovered.end, Outcome::Resolved(_)), "{recovered:?}");
    // Where there is no other way, the first one is told, and what is wrong with it.
    let recovered = shop.recovered(&recovery, &writing(&[special, "echo 6"])).await.unwrap();
    let Outcome::Unproved(patch, doubt) = &recovered.end else { panic!("{recovered:?}") };
    assert!(patch.text.contains("case $1 in"), "{}", patch.text);
    assert_eq!(
        doubt.to_string(),
        "nothing but the check says why it has `10`, `14`, `3`, `5`, `6`: it may be made for it"
    );
    assert!(recovered.attempts.iter().all(|it| !it.resolved));
    // Who proposes it again is not asked a third time.
    let again = Recovery { attempts: 4, ..recovery };
    let recovered = shop.recovered(&again, &writing(&[special; 4])).await.unwrap();
    assert_eq!(recovered.attempts.len(), 2);
    // Nor who comes back to another one that is no better.
    let other = "[ $1 = 3 ] && echo 6 || { [ $1 = 5 ] && echo 10 || echo 14; }";
    let recovered = shop.recovered(&again, &writing(&[special, other, other, special])).await;
    assert_eq!(recovered.unwrap().attempts.len(), 3);
}

#[tokio::test]
async fn what_was_tried_is_known_also_when_nobody_waits_for_the_end() {
    let shop = Shop::new();
    let scratch = shop.scratch().await;
    let recovery = recovery("sh test.sh");
    let Diagnosis::Fails(failure) = diagnose(&scratch, &recovery).await.unwrap() else { panic!() };
    let mut recovered = Recovered::of(failure);
    let model = writing(&["echo $(($1 + 1))", "echo $(($1 + 2))"]);
    let asked = std::cell::Cell::new(0);
    // The second step is one that nobody answers for.
    let consent = async |_: &Step| {
        asked.set(asked.get() + 1);
        if asked.get() > 1 {
            std::future::pending::<()>().await;
        }
        true
    };
    let is_asked_again = async {
        while asked.get() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = recover(asking(&model), &scratch, (&recovery, &mut recovered), consent) => panic!("{ended:?}"),
        () = is_asked_again => {}
    }
    assert!(recovered.tried_something());
    recovered.stopped = Some(RecoverError::Interrupted);
    let page = record::page(&recovery, &recovered, record::Origin { version: "1", at: "today" });
    assert!(page.contains("echo $(($1 + 1))") && page.contains("it was interrupted"), "{page}");
}

#[tokio::test]
async fn a_model_that_only_says_why_is_asked_for_the_file() {
    let shop = Shop::new();
    let file = "```sh\n# The price.\necho $(($1 * 2))\n```".to_owned();
    let model = playing(["It is not doubled.".to_owned(), file]);
    let recovered = shop.recovered(&recovery("sh test.sh"), &model).await.unwrap();
    assert!(matches!(recovered.end, Outcome::Resolved(_)), "{recovered:?}");
    let step = recovered.attempts[0].steps[0].step.as_ref().unwrap();
    assert_eq!(step.cause, "It is not doubled.");
    let seen = model.seen();
    let told: Vec<&str> = seen[1].messages.iter().skip(2).map(|it| &*it.content).collect();
    assert!(
        matches!(*told, ["It is not doubled.", write] if write.contains("price.sh anew")),
        "{told:?}"
    );
}

#[tokio::test]
async fn whoever_evades_the_check_has_resolved_nothing() {
    let shop = Shop::new();
    let before = shop.names();
    let recovered = shop
        .recovered(&recovery("sh test.sh"), &writing(&["exit 0", "trap 'exit 0' 0"]))
        .await
        .unwrap();
    assert_eq!(recovered.end, Outcome::Unresolved);
    assert!(
        recovered.attempts.iter().all(|it| matches!(it.steps[0].became, Became::NotDone(_))),
        "{recovered:?}"
    );
    assert_eq!(shop.names(), before);
    // A check that passes when its program is broken is none of the model's making: it passes before.
    let scratch = shop.scratch().await;
    assert_eq!(diagnose(&scratch, &recovery("true")).await.unwrap(), Diagnosis::Passes);
}

#[tokio::test]
async fn a_model_that_wants_to_change_the_test_or_talks_nonsense_is_an_error() {
    let shop = Shop::new();
    let talk = ScriptedModel::new(|_| Reply::Text("Happy to help!".to_owned()));
    let error = shop.recovered(&recovery("sh test.sh"), &talk).await.unwrap_err();
    assert!(matches!(error, RecoverError::NoStep { .. }), "{error}");
    // Twice in each attempt: for a step, and for the file once more.
    assert_eq!(talk.seen().len(), 4);
    let empty = ScriptedModel::new(|_| Reply::Text(String::new()));
    let error = shop.recovered(&recovery("sh test.sh"), &empty).await.unwrap_err();
    assert!(matches!(error, RecoverError::Ask(_)), "{error}");
    // Another file to change means that there is a choice.
    shop.write("other.sh", "echo 1\n");
    let test = r#"{"change": "test.sh"}"#.to_owned();
    let error = shop.recovered(&recovery("sh test.sh"), &playing(vec![test; 2])).await.unwrap_err();
    assert!(matches!(error, RecoverError::Ask(AskError::Object(_))), "{error}");
    let dead = ScriptedModel::new(|_| Reply::Broken(String::new()));
    let error = shop.recovered(&recovery("sh test.sh"), &dead).await.unwrap_err();
    assert!(matches!(error, RecoverError::Ask(_)), "{error}");
}

#[tokio::test]
async fn a_command_that_changes_the_check_does_not_count() {
    let shop = Shop::new();
    let cheat = "echo true > test.sh".to_owned();
    let recovery = Recovery { allowed: vec![cheat.clone()], attempts: 1, ..recovery("sh test.sh") };
    let run = json!({"change": cheat, "proof": "sh test.sh"}).to_string();
    let recovered = shop.recovered(&recovery, &playing([run])).await.unwrap();
    assert_eq!(recovered.end, Outcome::Unresolved);
    let last = recovered.attempts[0].steps.last().unwrap();
    assert!(last.became.to_string().contains("a command changed test.sh"), "{}", last.became);
}

#[tokio::test]
async fn a_command_that_changes_the_check_outside_of_the_folder_does_not_count() {
    let shop = Shop::new();
    for path in ["services/shop/price.sh", "lib/count.sh"] {
        fs::create_dir_all(shop.repository.path().join(path).parent().unwrap()).unwrap();
        shop.write(path, CODE);
    }
    shop.write("verify.sh", "exit 1\n");
    let cheat = "echo true > ../../verify.sh".to_owned();
    let check = "sh ../../verify.sh";
    let recovery = Recovery { allowed: vec![cheat.clone()], attempts: 1, ..recovery(check) };
    let folder = shop.repository.path().join("services/shop");
    let scratch = Scratch::of(&folder, shop.cache.path()).await.unwrap();
    let Diagnosis::Fails(failure) = diagnose(&scratch, &recovery).await.unwrap() else { panic!() };
    let model = playing([json!({"change": cheat, "proof": check}).to_string()]);
    let recovered = tried(&scratch, &recovery, failure, &model, true).await.unwrap();
    let last = recovered.attempts[0].steps.last().unwrap();
    assert!(last.became.to_string().contains("a command changed verify.sh"), "{}", last.became);
    assert_eq!(recovered.end, Outcome::Unresolved);
}

#[tokio::test]
async fn what_passes_once_and_not_again_does_not_count() {
    let shop = Shop::new();
    let outside = tempfile::tempdir().unwrap();
    let count = outside.path().join("count").display().to_string();
    // Passes at its third run, and never again.
    let check = format!("echo x >> {count}; [ $(wc -l < {count}) = 3 ]");
    let recovery = Recovery { attempts: 1, ..recovery(&check) };
    let recovered = shop.recovered(&recovery, &writing(&["echo 4"])).await.unwrap();
    assert_eq!(recovered.end, Outcome::Unresolved);
    let last = recovered.attempts[0].steps.last().unwrap();
    assert!(last.became.to_string().contains("once more from the clean state"), "{}", last.became);
}

#[tokio::test]
async fn a_check_that_passes_by_chance_or_cannot_be_run_is_told_apart() {
    let shop = Shop::new();
    let outside = tempfile::tempdir().unwrap();
    let count = outside.path().join("count").display().to_string();
    let flaky = recovery(&format!("echo x >> {count}; [ $(wc -l < {count}) = 2 ]"));
    let scratch = shop.scratch().await;
    assert!(matches!(diagnose(&scratch, &flaky).await.unwrap(), Diagnosis::Flaky(_)));
    let missing = recovery("no-such-program-here");
    assert!(matches!(diagnose(&scratch, &missing).await.unwrap(), Diagnosis::Unrunnable(_)));
}

#[tokio::test]
async fn what_was_tried_is_told_although_the_model_fails_later() {
    let shop = Shop::new();
    let first = "It is not doubled.\n```sh\n# The price.\necho $(($1 + 1))\n```".to_owned();
    let model = ScriptedModel::playing([Reply::Text(first), Reply::Broken(String::new())]);
    let recovery = recovery("sh test.sh");
    let recovered = shop.recovered(&recovery, &model).await.unwrap();
    assert_eq!(recovered.end, Outcome::Unresolved);
    assert!(matches!(recovered.stopped, Some(RecoverError::Ask(_))), "{recovered:?}");
    assert!(recovered.tried_something());
    let origin = record::Origin { version: "1", at: "today" };
    let page = record::page(&recovery, &recovered, origin);
    assert!(page.contains("+ 1") && page.contains("It went no further: "), "{page}");
}

#[tokio::test]
async fn nothing_is_done_without_consent() {
    let shop = Shop::new();
    let scratch = shop.scratch().await;
    let (recovery, model) = (recovery("sh test.sh"), writing(&["touch made; echo 4"]));
    let Diagnosis::Fails(failure) = diagnose(&scratch, &recovery).await.unwrap() else { panic!() };
    let recovered = tried(&scratch, &recovery, failure, &model, false).await.unwrap();
    assert!(
        matches!(&recovered.end, Outcome::Declined(step) if step.cause == "It is not doubled.")
    );
    assert!(!recovered.tried_something());
    assert_eq!(scratch.patch().unwrap().text, "");
}

#[tokio::test]
async fn in_a_large_project_what_the_output_names_is_found_all_the_same() {
    let shop = Shop::new();
    for number in 0..=FILES_MAX {
        shop.write(&format!("a{number}.sh"), "echo 1\n");
    }
    let recovery = Recovery { attempts: 1, ..recovery("sh test.sh") };
    let model = playing([
        json!({"change": "price.sh"}).to_string(),
        "It is not doubled.\n```sh\n# The price.\necho $(($1 * 2))\n```".to_owned(),
    ]);
    let recovered = shop.recovered(&recovery, &model).await.unwrap();
    assert!(matches!(recovered.end, Outcome::Resolved(_)), "{recovered:?}");
}

#[tokio::test]
async fn with_nothing_to_change_no_model_is_asked() {
    let shop = Shop::new();
    let check = "sh test.sh # price.sh";
    let model = playing([]);
    let error = shop.recovered(&recovery(check), &model).await.unwrap_err();
    assert!(matches!(error, RecoverError::NoCandidate), "{error}");
    assert_eq!(model.seen().len(), 0);
}

#[tokio::test]
async fn the_page_has_all_that_was_tried_and_cannot_be_broken_out_of() {
    let shop = Shop::new();
    let model = writing(&["echo '```'", "exit 0"]);
    let recovery = recovery("sh test.sh");
    let recovered = shop.recovered(&recovery, &model).await.unwrap();
    let origin = record::Origin { version: "1", at: "today" };
    let page = record::page(&recovery, &recovered, origin);
    for part in [
        "sh test.sh",
        "error: price.sh: not 6",
        "## Attempt 2",
        "was not done",
        "+echo '```'",
        "\n````",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// The one thread that may block is busy, and reading has to wait for it.
#[test]
fn files_are_read_on_a_thread_that_may_block() {
    use futures_util::FutureExt as _;

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (shop, model, recovery) = (Shop::new(), playing([]), recovery("sh test.sh"));
        let (scratch, spent) = (shop.scratch().await, Spent::default());
        let asking = asking(&model);
        let work = Work { asking, scratch: &scratch, recovery: &recovery, spent };
        let (free, busy) = std::sync::mpsc::channel();
        let other = tokio::task::spawn_blocking(move || busy.recv());
        let mut reading = std::pin::pin!(work.files(""));
        assert!(reading.as_mut().now_or_never().is_none());
        free.send(()).unwrap();
        other.await.unwrap().unwrap();
        assert_eq!(reading.await.unwrap().len(), 2);
    });
}
