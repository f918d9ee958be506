use std::sync::Mutex;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    metrics::v1::{Metric, metric::Data, number_data_point::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{net::TcpListener, task::JoinSet};

use super::*;
use crate::{
    http::gateway::tests::Server,
    trace::{Asked, Ending, Failure, Log, Record, Via},
};

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Environment::new("/".into(), None, variables.collect::<Vec<_>>().into_iter())
}

fn read(variables: &[(&str, &str)]) -> Option<Settings> {
    Settings::read(&environment(variables)).unwrap()
}

#[test]
fn nothing_is_sent_unless_a_collector_is_named() {
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), None);
    let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/");
    assert_eq!(read(&[named, ("OTEL_SDK_DISABLED", "TRUE")]), None);
    let settings = read(&[
        named,
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:9090/api/v1/otlp/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a%2Cb, x-scope = me"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=no,host.name=box"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
    ]);
    let settings = settings.unwrap();
    assert_eq!(settings.traces.as_deref(), Some("http://localhost:4318/v1/traces"));
    assert_eq!(settings.metrics.as_deref(), Some("http://localhost:9090/api/v1/otlp/v1/metrics"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [pair("authorization", "Bearer a,b"), pair("x-scope", "me")];
    assert_eq!(settings.headers, headers);
    assert_eq!(settings.resource, [pair("service.name", "task-master"), pair("host.name", "box")]);
    assert_eq!(settings.points_every, Duration::from_millis(1500));
    let settings = read(&[named, ("OTEL_TRACES_EXPORTER", "none")]).unwrap();
    assert!(settings.traces.is_none() && settings.metrics.is_some());
    let other = [named, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let error = Settings::read(&environment(&other)).unwrap_err();
    assert!(error.message.contains("grpc"), "{error:?}");
}

#[test]
fn a_collector_elsewhere_is_not_reached_and_that_is_told() {
    let settings = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example")]).unwrap();
    let blocked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noting = Arc::clone(&blocked);
    let on_blocked: OnBlocked = Arc::new(move |host| noting.lock().unwrap().push(host.to_owned()));
    let error = Exporter::open(settings.clone(), &Guard::default(), &on_blocked).unwrap_err();
    assert!(matches!(error, PushError::NotLocal(_)), "{error:?}");
    assert_eq!(*blocked.lock().unwrap(), ["collector.example"]);
    let listed = Guard::new(["collector.example".to_owned()]);
    assert!(Exporter::open(settings, &listed, &on_blocked).is_ok());
}

#[derive(Debug, Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
    /// It refuses so many first.
    refuses: Arc<Mutex<usize>>,
}

impl Collector {
    async fn start(&self, running: &mut JoinSet<()>) -> String {
        async fn traces(
            State(it): State<Collector>,
            headers: HeaderMap,
            body: Bytes,
        ) -> axum::http::StatusCode {
            it.headers.lock().unwrap().push(headers);
            let mut refuses = it.refuses.lock().unwrap();
            if *refuses > 0 {
                *refuses -= 1;
                return axum::http::StatusCode::SERVICE_UNAVAILABLE;
            }
            it.traces.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
            axum::http::StatusCode::OK
        }
        async fn metrics(State(it): State<Collector>, body: Bytes) {
            it.metrics.lock().unwrap().push(ExportMetricsServiceRequest::decode(body).unwrap());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(self.clone());
        running.spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let spans = traces.iter().flat_map(|it| &it.resource_spans);
        spans.flat_map(|it| &it.scope_spans).flat_map(|it| it.spans.clone()).collect()
    }

    fn metric(&self, name: &str) -> Metric {
        let metrics = self.metrics.lock().unwrap();
        let resource = &metrics.last().unwrap().resource_metrics[0];
        let found = resource.scope_metrics[0].metrics.iter().find(|it| it.name == name);
        found.unwrap_or_else(|| panic!("there is no {name}")).clone()
    }
}

fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let shown = attributes.iter().map(|it| {
        let value = it.value.as_ref().and_then(|it| it.value.clone()).unwrap();
        if let any_value::Value::StringValue(text) = value {
            format!("{}={text}", it.key)
        } else if let any_value::Value::IntValue(number) = value {
            format!("{}={number}", it.key)
        } else {
            format!("{}={value:?}", it.key)
        }
    });
    shown.collect()
}

fn exporter(url: &str) -> Exporter {
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret")];
    let on_blocked: OnBlocked = Arc::new(|_| ());
    Exporter::open(read(&variables).unwrap(), &Guard::default(), &on_blocked).unwrap()
}

#[tokio::test]
async fn what_the_gateway_did_arrives_when_it_ends() {
    let (collector, mut running) = (Collector::default(), JoinSet::new());
    let exporter = exporter(&collector.start(&mut running).await);
    let records = exporter.records();
    let model = ScriptedModel::new(|_| Reply::Text("Hello".to_owned()));
    let server =
        Server::start_with(model, |it| it.with_trace(Log::nowhere().with_copies(records))).await;
    let body =
        serde_json::json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let head = server.post("/v1/chat/completions", &body).await.head;
    let measured = server.get("/metrics").await.body;
    let stop = CancellationToken::new();
    stop.cancel();
    exporter.run(move || measured.clone(), stop).await;

    let spans = collector.spans();
    let [root, attempt] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((root.name.as_str(), root.kind()), ("gateway chat", SpanKind::Server));
    assert_eq!((attempt.name.as_str(), attempt.kind()), ("chat script", SpanKind::Client));
    assert_eq!((&attempt.parent_span_id, &attempt.trace_id), (&root.span_id, &root.trace_id));
    let id: Vec<String> = root.trace_id.iter().map(|it| format!("{it:02x}")).collect();
    let id = id.concat();
    assert!(head.contains(&format!("x-request-id: {}", &id[..24])), "{head}\n{id}");
    let attributes = shown(&attempt.attributes);
    for expected in [
        "gen_ai.operation.name=chat",
        "gen_ai.provider.name=scripted",
        "gen_ai.request.model=script",
        "gen_ai.usage.output_tokens=2",
    ] {
        assert!(attributes.iter().any(|it| it == expected), "{expected} {attributes:?}");
    }
    assert!(shown(&root.attributes).contains(&"gen_ai.request.model=gpt-4o".to_owned()));
    let resource = collector.traces.lock().unwrap()[0].resource_spans[0].resource.clone().unwrap();
    assert!(shown(&resource.attributes).contains(&"service.name=task-master".to_owned()));
    let headers = collector.headers.lock().unwrap()[0].clone();
    assert!(headers["x-key"] == "s3cret" && headers["content-type"] == PROTOBUF, "{headers:?}");

    let Some(Data::Sum(requests)) = collector.metric("gateway_requests").data else { panic!() };
    assert!(requests.is_monotonic && requests.data_points.len() == 1);
    assert_eq!(requests.data_points[0].value, Some(Value::AsInt(1)));
    assert_eq!(
        shown(&requests.data_points[0].attributes),
        ["endpoint=chat", "status=200", "route=main"]
    );
    let duration = collector.metric("gen_ai.client.operation.duration");
    let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((duration.unit.as_str(), point.count), ("s", 1));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), 1);
    let well = collector.metric("gateway_backend_well");
    assert!(matches!(well.data, Some(Data::Gauge(_))), "{well:?}");
}

fn record(id: &str) -> Record {
    Record {
        id: id.to_owned(),
        time: "2030-01-01T00:00:00.500Z".to_owned(),
        via: Via::Gateway,
        by: "messages".to_owned(),
        ending: Ending::Failed,
        error: Some(Failure { kind: "broken".to_owned(), why: Some("it broke".to_owned()) }),
        took_s: 1.5,
        ..Record::default()
    }
}

#[tokio::test]
async fn traces_wait_for_a_collector_that_is_busy() {
    let (collector, mut running) = (Collector::default(), JoinSet::new());
    *collector.refuses.lock().unwrap() = 1;
    let mut exporter = exporter(&collector.start(&mut running).await);
    let log = Log::nowhere().with_copies(exporter.records());
    for id in ["0a", "0b"] {
        log.keep(record(id));
    }
    exporter.send_spans().await;
    assert!(collector.spans().is_empty());
    log.keep(record("0c"));
    exporter.send_spans().await;
    let first: Vec<u8> = collector.spans().iter().map(|it| it.trace_id[0]).collect();
    assert_eq!(first, [10, 11, 12]);
}

#[tokio::test]
async fn a_collector_that_is_not_there_keeps_nobody_up_and_not_too_much_waits_for_it() {
    let mut exporter = exporter(&tm_testkit::server::ScriptedServer::nobody());
    let log = Log::nowhere().with_copies(exporter.records());
    for number in 0..3000 {
        log.keep(record(&format!("{number:04x}")));
    }
    exporter.send_spans().await;
    let left = exporter.records.take(usize::MAX);
    let ends = (left.first().unwrap().id.as_str(), left.last().unwrap().id.as_str());
    assert_eq!((left.len(), ends), (2048, ("03b8", "0bb7")));
}

#[test]
fn a_failure_says_why_and_when() {
    let attempt = Asked {
        backend: "m at http://box:1/v1".to_owned(),
        provider: "vllm".to_owned(),
        model: "m".to_owned(),
        ending: Ending::Failed,
        error: Some(Failure { kind: "unreachable".to_owned(), why: None }),
        after_s: 0.25,
        queued_s: 0.0,
        first_token_s: None,
        took_s: 0.5,
        prompt_tokens: 0,
        cached_tokens: 0,
        completion_tokens: 0,
        finish: None,
    };
    let record = Record { attempts: vec![attempt], ..record("ff") };
    let request = spans::request(&[record], &Resource::default());
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    let begun = 1_893_456_000_500_000_000;
    let times = |it: &Span| (it.start_time_unix_nano - begun, it.end_time_unix_nano - begun);
    assert_eq!(times(&spans[0]), (0, 1_500_000_000));
    assert_eq!(times(&spans[1]), (250_000_000, 750_000_000));
    let status = spans[0].status.clone().unwrap();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "it broke"));
    assert!(shown(&spans[1].attributes).contains(&"error.type=unreachable".to_owned()));
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let measured = "# HELP waits A wait.\n# TYPE waits histogram\n# UNIT waits_seconds seconds\n\
        waits_seconds_sum{of=\"a\\\"b,}\"} 1.5\nwaits_seconds_count{of=\"a\\\"b,}\"} 3\n\
        waits_seconds_bucket{le=\"0.1\",of=\"a\\\"b,}\"} 1\n\
        waits_seconds_bucket{le=\"+Inf\",of=\"a\\\"b,}\"} 3\n# EOF\n"
        .replace("HELP waits", "HELP waits_seconds")
        .replace("TYPE waits", "TYPE waits_seconds");
    let request = points::request(&measured, (1, 2), &Resource::default());
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    assert_eq!((metric.name.as_str(), metric.description.as_str()), ("waits", "A wait"));
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    let point = &histogram.data_points[0];
    assert_eq!(shown(&point.attributes), ["of=a\"b,}"]);
    assert_eq!((point.count, point.sum), (3, Some(1.5)));
    assert_eq!((&point.bucket_counts[..], &point.explicit_bounds[..]), (&[1, 2][..], &[0.1][..]));
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1, 2));
}
