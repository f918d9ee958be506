//! What `eval` found, as one page that needs nothing else: plots are drawn here, and it is light
//! or dark as the reader's machine is.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tm_workflows::evaluate::{CONTROL_MAX, DocumentScores, Entrant, Metric, Standing, Summary};

use super::Findings;

/// The whole page.
pub(super) fn render(findings: &Findings) -> String {
    let evaluation = &findings.evaluation;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Plans compared: " (findings.plans) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Plans compared" }
                p { (findings.plans) ", " (evaluation.documents.len()) " pairs of "
                    (findings.folder.display()) }
                (facts(findings))
                h2 { "Metrics" }
                p.quiet { "A dot is the plans' mean with its 95 % interval, the bar what the \
                           baseline reaches against itself, the diamond another model's plan of \
                           the same document." }
                (metrics_plot(findings))
                (metrics_table(findings))
                h2 { "Scale and controls" }
                p.quiet { "Overall scores. What is worth nothing must stay left of the line, at "
                          (format!("{CONTROL_MAX:.2}")) " of the baseline." }
                (scale_plot(findings))
                h2 { "Documents" }
                (documents_table(&evaluation.documents))
            }
        }
    };
    page.into_string()
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1d2329;--quiet:#626c76;--line:#d9dee3;--paper:#fff;--plan:#0b62a8;--base:#9aa4ae;--bad:#b3372c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--quiet:#98a2ac;--line:#363d45;--paper:#15191d;--plan:#6db6f2;--base:#707b86;--bad:#f08a7e}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}
.quiet,dt,th{color:var(--quiet)}p{margin:.3rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:.9rem;margin:1rem 0}dd{margin:0;overflow-wrap:anywhere}
svg{width:100%;height:auto;display:block;margin:.6rem 0}svg text{font-size:13px;fill:var(--ink)}svg .axis{fill:var(--quiet);font-size:11px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:500}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}";

fn facts(findings: &Findings) -> Markup {
    let models: Vec<String> =
        findings.baseline.iter().map(|(model, n)| format!("{model} ({n})")).collect();
    let failed: Vec<&str> = findings.failed.keys().map(String::as_str).collect();
    html! {
        dl {
            dt { "Baseline" } dd { (models.join(", ")) }
            @if !failed.is_empty() {
                dt { "Without a plan" } dd { (failed.join(", ")) "; they count as empty plans" }
            }
            dt { "Measured" } dd { (findings.at) ", " (findings.host) }
            dt { "Program" } dd { "task-master " (findings.version) ", seed " (findings.evaluation.seed) }
            dt { "Inputs" } dd { "SHA-256 " (findings.inputs) }
        }
    }
}

/// Where the plots begin and how wide they are, in their own units.
const LEFT: f64 = 190.0;
const WIDTH: f64 = 560.0;
const ROW: f64 = 26.0;

fn x(value: f64) -> String {
    format!("{:.1}", LEFT + value.clamp(0.0, 1.0) * WIDTH)
}

/// The middle of a row.
fn y(row: usize) -> f64 {
    f64::from(u32::try_from(row).unwrap_or(u32::MAX)) * ROW + ROW / 2.0
}

fn plot(title: &str, rows: usize, marks: &Markup) -> Markup {
    let height = y(rows) - ROW / 2.0;
    html! {
        svg viewBox=(format!("0 0 {:.0} {:.0}", LEFT + WIDTH + 50.0, height + 22.0)) role="img" aria-label=(title) {
            @for step in [0.0, 0.25, 0.5, 0.75, 1.0] {
                line x1=(x(step)) x2=(x(step)) y1="0" y2=(height) stroke="var(--line)" {}
                text.axis x=(x(step)) y=(height + 16.0) text-anchor="middle" { (step) }
            }
            (marks)
        }
    }
}

fn label(row: usize, name: &str) -> Markup {
    html! { text x=(LEFT - 12.0) y=(y(row) + 4.5) text-anchor="end" { (name) } }
}

fn metrics_plot(findings: &Findings) -> Markup {
    let standing = |it| findings.evaluation.standing(it);
    let row = |row: usize, name: &str, of: &dyn Fn(&Standing) -> Option<Summary>| {
        let [plan, itself, external] =
            [Entrant::Plan, Entrant::Itself, Entrant::External].map(|it| standing(it).and_then(of));
        let middle = y(row);
        html! {
            (label(row, name))
            @if let Some(it) = itself {
                line x1=(x(it.mean)) x2=(x(it.mean)) y1=(middle - 8.0) y2=(middle + 8.0)
                    stroke="var(--base)" stroke-width="3" { title { "baseline " (figure(itself)) } }
            }
            @if let Some(it) = external {
                path d=(format!("M{} {} l5 5 l-5 5 l-5 -5 z", x(it.mean), middle - 5.0)) fill="none"
                    stroke="var(--ink)" stroke-width="1.5" { title { "another model " (figure(external)) } }
            }
            @if let Some(interval) = plan.and_then(|it| it.interval) {
                line x1=(x(interval.low)) x2=(x(interval.high)) y1=(middle) y2=(middle)
                    stroke="var(--plan)" stroke-width="2" {}
            }
            @if let Some(it) = plan {
                circle cx=(x(it.mean)) cy=(middle) r="5" fill="var(--plan)" { title { "plans " (figure(plan)) } }
            }
        }
    };
    let marks = html! {
        @for (at, metric) in Metric::ALL.into_iter().enumerate() {
            (row(at, metric.name(), &|it| it.metrics.get(&metric).copied()))
        }
        (row(Metric::ALL.len(), "Overall", &|it| it.overall))
    };
    plot("Metrics of the plans, the baseline and other models", Metric::ALL.len() + 1, &marks)
}

fn scale_plot(findings: &Findings) -> Markup {
    let standings = &findings.evaluation.standings;
    let itself = findings.evaluation.standing(Entrant::Itself).and_then(|it| it.overall);
    let marks = html! {
        @for (at, standing) in standings.iter().enumerate() {
            (label(at, standing.entrant.name()))
            @if let Some(it) = standing.overall {
                rect x=(LEFT) y=(y(at) - 7.0) width=(format!("{:.1}", it.mean.clamp(0.0, 1.0) * WIDTH))
                    height="14" fill=(colour(standing.entrant)) {}
                text.axis x=(format!("{:.1}", LEFT + it.mean.clamp(0.0, 1.0) * WIDTH + 6.0)) y=(y(at) + 4.0) {
                    (format!("{:.2}, n = {}", it.mean, it.n))
                }
            } @else {
                text.axis x=(LEFT + 6.0) y=(y(at) + 4.0) { "none" }
            }
        }
        @if let Some(it) = itself {
            line x1=(x(it.mean * CONTROL_MAX)) x2=(x(it.mean * CONTROL_MAX)) y1="0"
                y2=(y(standings.len()) - ROW / 2.0) stroke="var(--bad)" stroke-dasharray="4 3" {}
        }
    };
    plot("Overall scores of plans, scale and controls", standings.len(), &marks)
}

fn colour(entrant: Entrant) -> &'static str {
    match entrant {
        Entrant::Plan => "var(--plan)",
        _ if entrant.is_control() => "var(--bad)",
        Entrant::Itself
        | Entrant::External
        | Entrant::Copied
        | Entrant::OtherDocument
        | Entrant::Repeated
        | Entrant::RandomWords
        | Entrant::Gibberish
        | Entrant::Empty => "var(--base)",
    }
}

fn metrics_table(findings: &Findings) -> Markup {
    let standing = |it| findings.evaluation.standing(it);
    let of = |entrant, metric| standing(entrant).and_then(|it| it.metrics.get(&metric).copied());
    let ratio = |metric| standing(Entrant::Plan).and_then(|it| it.ratios.get(&metric).copied());
    html! {
        div.scroll { table {
            thead { tr {
                th { "Metric" } th { "What it says" } th.n { "Plans" } th.n { "Baseline" }
                th.n { "Other model" } th.n { "Ratio" } th.n { "Pairs" }
            } }
            tbody { @for metric in Metric::ALL {
                tr {
                    td { (metric.name()) }
                    td.quiet { (metric.meaning()) }
                    td.n { (ranged(of(Entrant::Plan, metric))) }
                    td.n { (figure(of(Entrant::Itself, metric))) }
                    td.n { (figure(of(Entrant::External, metric))) }
                    td.n { (ranged(ratio(metric))) }
                    td.n { (of(Entrant::Plan, metric).map_or(0, |it| it.n)) }
                }
            } }
        } }
    }
}

fn documents_table(documents: &[DocumentScores]) -> Markup {
    let number = |it: Option<f64>| it.map_or_else(|| "–".to_owned(), |it| format!("{it:.2}"));
    html! {
        div.scroll { table {
            thead { tr {
                th { "Pair" } th { "Baseline by" } th.n { "Tasks" } th.n { "Baseline's" }
                th.n { "Overall" } th.n { "Baseline's" }
            } }
            tbody { @for it in documents {
                tr {
                    td { (it.name) }
                    td { (it.baseline_model.as_deref().unwrap_or("not recorded")) }
                    td.n { (it.plan_tasks) }
                    td.n { (it.baseline_tasks) }
                    td.n { (number(it.plan_overall)) }
                    td.n { (number(it.itself_overall)) }
                }
            } }
        } }
    }
}

fn figure(summary: Option<Summary>) -> String {
    summary.map_or_else(|| "–".to_owned(), |it| format!("{:.2}", it.mean))
}

fn ranged(summary: Option<Summary>) -> Markup {
    html! {
        (figure(summary))
        @if let Some(it) = summary.and_then(|it| it.interval) {
            br; span.quiet { (format!("{:.2} to {:.2}", it.low, it.high)) }
        }
    }
}
