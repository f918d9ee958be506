//! What is counted, as metrics: read from the text that `/metrics` has, so that every number is the
//! same in both. Pure.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
        ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
    },
    resource::v1::Resource,
};

use super::{scope, text};

/// Names of OpenTelemetry that cannot be told from ours, in which dots are underscores.
const NAMES: [(&str, &str); 5] = [
    ("gen_ai_client_operation_duration", "gen_ai.client.operation.duration"),
    ("gen_ai_client_operation_time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"),
    ("gen_ai_client_token_usage", "gen_ai.client.token.usage"),
    ("gen_ai_server_request_duration", "gen_ai.server.request.duration"),
    ("gen_ai_server_time_to_first_token", "gen_ai.server.time_to_first_token"),
];

/// From when on everything was counted, and until when.
type Times = (u64, u64);

/// What is said of one family of numbers, and the numbers.
#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    help: &'a str,
    unit: &'a str,
    samples: Vec<Sample<'a>>,
}

#[derive(Debug)]
struct Sample<'a> {
    /// What comes behind the name of the family, such as `_total`.
    suffix: &'a str,
    labels: Vec<(&'a str, String)>,
    value: &'a str,
}

/// What a collector is sent about these numbers.
pub(super) fn request(
    measured: &str,
    times: Times,
    resource: &Resource,
) -> ExportMetricsServiceRequest {
    let metrics = families(measured).iter().map(|it| it.metric(times)).collect();
    let scope_metrics = ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() };
    let resource_metrics = ResourceMetrics {
        resource: Some(resource.clone()),
        scope_metrics: vec![scope_metrics],
        ..ResourceMetrics::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
}

fn families(measured: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in measured.lines() {
        let Some(fact) = line.strip_prefix("# ") else {
            if let Some(family) = families.last_mut() {
                family.samples.extend(sample(line, family.name));
            }
            continue;
        };
        let mut words = fact.splitn(3, ' ');
        let (Some(what), Some(name)) = (words.next(), words.next()) else { continue };
        if families.last().is_none_or(|it| it.name != name) {
            families.push(Family { name, ..Family::default() });
        }
        let (Some(family), rest) = (families.last_mut(), words.next().unwrap_or_default()) else {
            continue;
        };
        match what {
            "HELP" => family.help = rest.trim_end_matches('.'),
            "TYPE" => family.kind = rest,
            "UNIT" => family.unit = rest,
            _ => {}
        }
    }
    families
}

/// `name_total{label="value",…} 3`.
fn sample<'a>(line: &'a str, family: &str) -> Option<Sample<'a>> {
    let rest = line.strip_prefix(family)?;
    let at = rest.find(['{', ' '])?;
    let (suffix, rest) = rest.split_at(at);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    Some(Sample { suffix, labels, value: rest.split_whitespace().next()? })
}

/// The labels, and what comes behind them.
fn labels(mut rest: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push((name.trim_start_matches(','), value));
        rest = after.get(end + 1..)?;
    }
}

impl Family<'_> {
    fn metric(&self, times: Times) -> Metric {
        let temporality = AggregationTemporality::Cumulative.into();
        let data = match self.kind {
            "histogram" => Data::Histogram(Histogram {
                data_points: self.histograms(times),
                aggregation_temporality: temporality,
            }),
            "counter" => Data::Sum(Sum {
                data_points: self.numbers(times),
                aggregation_temporality: temporality,
                is_monotonic: true,
            }),
            _ => Data::Gauge(Gauge { data_points: self.numbers(times) }),
        };
        let name = self.name.strip_suffix(self.unit).unwrap_or(self.name).trim_end_matches('_');
        let known = NAMES.iter().find(|(ours, _)| *ours == name);
        Metric {
            name: known.map_or(name, |(_, theirs)| theirs).to_owned(),
            description: self.help.to_owned(),
            unit: if self.unit == "seconds" { "s" } else { self.unit }.to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn numbers(&self, (start, now): Times) -> Vec<NumberDataPoint> {
        let points = self.samples.iter().filter_map(|it| {
            let value = match it.value.parse() {
                Ok(whole) => Value::AsInt(whole),
                Err(_) => Value::AsDouble(it.value.parse().ok()?),
            };
            Some(NumberDataPoint {
                attributes: attributes(&it.labels),
                start_time_unix_nano: start,
                time_unix_nano: now,
                value: Some(value),
                ..NumberDataPoint::default()
            })
        });
        points.collect()
    }

    /// One for each set of labels. Buckets there hold those below them as well, and here not.
    fn histograms(&self, (start, now): Times) -> Vec<HistogramDataPoint> {
        let mut points: Vec<(Vec<KeyValue>, HistogramDataPoint)> = Vec::new();
        for sample in &self.samples {
            let (bounds, labels): (Vec<_>, Vec<_>) =
                sample.labels.iter().cloned().partition(|(name, _)| *name == "le");
            let key = attributes(&labels);
            let known = points.iter().position(|(it, _)| *it == key);
            let at = known.unwrap_or_else(|| {
                let point = HistogramDataPoint {
                    attributes: key.clone(),
                    start_time_unix_nano: start,
                    time_unix_nano: now,
                    ..HistogramDataPoint::default()
                };
                points.push((key, point));
                points.len() - 1
            });
            let Some((_, point)) = points.get_mut(at) else { continue };
            match sample.suffix {
                "_sum" => point.sum = sample.value.parse().ok(),
                "_count" => point.count = sample.value.parse().unwrap_or_default(),
                "_bucket" => {
                    let below: u64 = point.bucket_counts.iter().sum();
                    let all: u64 = sample.value.parse().unwrap_or_default();
                    point.bucket_counts.push(all.saturating_sub(below));
                    let bound = bounds.first().and_then(|(_, it)| it.parse::<f64>().ok());
                    point.explicit_bounds.extend(bound.filter(|it| it.is_finite()));
                }
                _ => {}
            }
        }
        points.into_iter().map(|(_, point)| point).collect()
    }
}

/// What is empty says nothing.
fn attributes(labels: &[(&str, String)]) -> Vec<KeyValue> {
    let labels = labels.iter().filter(|(_, value)| !value.is_empty());
    labels.map(|(name, value)| text(&attribute_name(name), value.as_str())).collect()
}

fn attribute_name(label: &str) -> String {
    match label.strip_prefix("gen_ai_") {
        Some(rest) => format!("gen_ai.{}", rest.replace('_', ".")),
        None if label == "error_type" => "error.type".to_owned(),
        None => label.to_owned(),
    }
}
