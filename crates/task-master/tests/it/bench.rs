//! Measuring: what is said, and what is kept.

#![cfg(feature = "engine")]

use serde_json::json;

use crate::{parse_prd::test_model, project::Project};

#[test]
fn a_server_that_cannot_be_started_is_an_error_with_what_to_do() {
    let project = Project::with_tasks(&json!([]));
    let run = project.run(&["bench", "engine", "--model", "m.gguf", "--server", "/nowhere/server"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot start /nowhere/server"), "{}", run.err);
    assert!(run.err.contains("hint: give `--server`"), "{}", run.err);
}

#[test]
fn a_setting_that_is_no_number_is_an_error_before_a_model_is_loaded() {
    for (name, told) in
        [("GPU_LAYERS", "is no number of layers"), ("PREFIX_CACHE_MIB", "is no size")]
    {
        let project = Project::with_tasks(&json!([]));
        project.write(".env", format!("TASKMASTER_{name}=many\nTASKMASTER_MODEL=m.gguf\n"));
        project.write("prd.md", "# Shop\n\n- People order bread.\n");
        let run = project.run(&["parse-prd", "prd.md"]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains(&format!("TASKMASTER_{name} {told}")), "{}", run.err);
    }
}

#[test]
fn a_real_model_is_measured_and_what_was_found_best_is_kept_and_used() {
    let Some(model) = test_model() else { return };
    let project = Project::with_tasks(&json!([]));
    let json = |arguments: &[&str]| {
        let model = model.to_str().unwrap();
        project.json(&[arguments, &["--model", model, "--json"]].concat())
    };
    let measured = json(&["bench", "engine", "--only", "speed,command", "--runs", "1"]);
    let rows = measured["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert!(row["engine"][0].as_f64().unwrap() > 1.0, "{row}");
        assert_eq!(row["server"], json!([]));
    }
    let best = json(&["bench", "host"]);
    assert!(best["threads"].as_u64().unwrap() >= 1);
    let found = json(&["doctor"]);
    assert_eq!(found["calibrated"], true);
    for class in found["classes"].as_array().unwrap() {
        let (took, limit) = (class["took_s"].as_f64().unwrap(), class["limit_s"].as_f64().unwrap());
        assert!(took > 0.0);
        assert_eq!(class["meets"], took <= limit, "{class}");
    }
    // What was read to measure is of no use to anybody.
    let left = std::fs::read_dir(project.path("home/.cache/task-master"));
    assert_eq!(left.map_or(0, Iterator::count), 0);
}
