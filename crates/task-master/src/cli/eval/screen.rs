//! What `eval` found, on a terminal of 80 columns.

use tm_workflows::evaluate::{Entrant, Metric, Standing, Summary};

use super::{Findings, research};
use crate::{
    cli::marks::count,
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, RED, Text},
    },
};

/// The metrics beside the scale, then the controls.
pub(super) fn print(findings: &Findings, report: &mut Report) {
    let evaluation = &findings.evaluation;
    let pairs = count(evaluation.documents.len(), "pair");
    let compared = match &findings.embedding_model {
        Some(model) => format!("; tasks compared by words and {model}"),
        None => String::new(),
    };
    report.line(Text::styled(BOLD, &findings.plans).and(
        DIM,
        &format!("  {pairs} of {}, seed {}{compared}", findings.folder.display(), evaluation.seed),
    ));
    let models: Vec<String> =
        findings.baseline.iter().map(|(model, n)| format!("{model}\u{a0}({n})")).collect();
    let baseline = Text::styled(DIM, &format!("Baseline: {}", models.join(", ")));
    report.lines(baseline.wrap(report.columns().unwrap_or(usize::MAX)));
    report.blank();
    let columns = report.columns();
    report.lines(metrics(findings).lines(columns));
    report.blank();
    report.lines(scale(findings).lines(columns));
}

/// The figures of `eval research`.
pub(super) fn print_research(findings: &research::Findings, report: &mut Report) {
    let model = findings.model.as_deref().unwrap_or("no model asked");
    let found = match &findings.embedding_model {
        Some(model) => format!("found by words and {model}"),
        None => "found by words".to_owned(),
    };
    report.line(Text::styled(BOLD, model).and(
        DIM,
        &format!(
            "  {} of {}, {} unanswerable; {found}",
            count(findings.questions, "question"),
            findings.folder.display(),
            findings.unanswerable
        ),
    ));
    report.blank();
    let mut table = Table::new(&["Measure", "Share", "95 % interval", "Of"], "Measure");
    for (measure, summary) in &findings.scores {
        let summary = Some(*summary);
        table.push(vec![measure.name().into(), figure(summary), interval(summary), n(summary)]);
    }
    report.lines(table.lines(report.columns()));
}

fn metrics(findings: &Findings) -> Table {
    let titles = ["Metric", "Plans", "95 % interval", "Baseline", "Other model", "Ratio", "Pairs"];
    let mut table = Table::new(&titles, "Metric");
    let standing = |it| findings.evaluation.standing(it);
    let (plan, itself, external) =
        (standing(Entrant::Plan), standing(Entrant::Itself), standing(Entrant::External));
    let mut push = |name: Text, of: &dyn Fn(&Standing) -> [Option<Summary>; 2]| {
        let [mean, ratio] = plan.map(of).unwrap_or_default();
        table.push(vec![
            name,
            figure(mean),
            interval(mean),
            figure(itself.and_then(|it| of(it)[0])),
            figure(external.and_then(|it| of(it)[0])),
            figure(ratio),
            n(mean),
        ]);
    };
    for metric in Metric::ALL {
        push(metric.name().into(), &|it| {
            [it.metrics.get(&metric).copied(), it.ratios.get(&metric).copied()]
        });
    }
    push(Text::styled(BOLD, "Overall"), &|it| [it.overall, it.overall_ratio]);
    table
}

fn scale(findings: &Findings) -> Table {
    let titles = ["Scale and controls", "Overall", "95 % interval", "Of baseline", "Pairs"];
    let mut table = Table::new(&titles, "Scale and controls");
    let failed = findings.evaluation.failed_controls();
    for standing in &findings.evaluation.standings {
        let name = standing.entrant.name();
        let is_failed = failed.contains(&standing.entrant);
        table.push(vec![
            if is_failed { Text::styled(RED, name) } else { name.into() },
            figure(standing.overall),
            interval(standing.overall),
            figure(standing.overall_ratio),
            n(standing.overall),
        ]);
    }
    table
}

fn figure(summary: Option<Summary>) -> Text {
    summary.map_or_else(|| Text::styled(DIM, "–"), |it| format!("{:.2}", it.mean).into())
}

fn interval(summary: Option<Summary>) -> Text {
    let interval = summary.and_then(|it| it.interval);
    let text = interval.map_or("–".to_owned(), |it| format!("{:.2} to {:.2}", it.low, it.high));
    Text::styled(DIM, &text)
}

fn n(summary: Option<Summary>) -> Text {
    Text::styled(DIM, &summary.map_or(0, |it| it.n).to_string())
}
