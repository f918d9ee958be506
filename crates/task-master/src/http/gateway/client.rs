//! Whoever asks: whether they may, and what their request says besides its body.
//!
//! Without keys, programs and pages of this machine may; with keys, whoever has one.

use std::{convert::Infallible, sync::Arc, time::Instant};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tm_llm::{
    dialect::serve::{ClientError, ollama::KeepAlive},
    failover::OnStep,
};

use super::{
    ErrorBody, Gateway, arriving, cached::Caching, errors::Shape, large, refused, routing::Routed,
};
use crate::{
    http::keys::{KeyRecord, Refusal},
    trace::new_id,
};

/// A client, for one request.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) gateway: Arc<Gateway>,
    /// What the request is called: by `x-request-id`, and in its trace.
    pub(super) request_id: String,
    pub(super) caching: Caching,
    /// How long the model is to stay in memory afterwards, where the request says so.
    pub(super) keep_alive: Option<KeepAlive>,
    /// None where nobody is asked for one.
    key: Option<Arc<KeyRecord>>,
}

#[derive(Debug, Clone, Default)]
struct RequestId(String);

impl FromRequestParts<Arc<Gateway>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Infallible> {
        let key = parts.extensions.get::<Arc<KeyRecord>>().cloned();
        let caching = Caching::read(&parts.headers);
        let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default().0;
        let (gateway, keep_alive) = (Arc::clone(gateway), None);
        Ok(Self { gateway, request_id, caching, keep_alive, key })
    }
}

impl Client {
    /// The models that answer to a name, if this client may ask them.
    pub(super) async fn route(
        &self,
        model: &str,
        conversation: Option<u64>,
        on_step: OnStep,
    ) -> Result<Routed, ClientError> {
        let (role, reason) = self.gateway.names.role(model);
        self.may_ask(model, role.as_str())?;
        self.gateway.route((role, reason), conversation, on_step).await
    }

    /// The same for a request that asks no model.
    pub(super) async fn route_unasked(&self, model: &str) -> Result<Routed, ClientError> {
        self.route(model, None, Arc::new(|_| ())).await
    }

    /// Whether its key is good for a model.
    pub(super) fn may_ask(&self, model: &str, role: &str) -> Result<(), ClientError> {
        match &self.key {
            Some(key) if !key.allows(model, role) => {
                self.gateway.metrics.refused("model");
                Err(ClientError::Forbidden { model: model.to_owned() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Gives the request a name, and lets it in or says why not.
pub(super) async fn admit(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = new_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let shape = Shape::of(&request);
    let response = admitted(gateway, request, next, shape.error_body).await;
    let mut response = shape.told(response, &id);
    if let Ok(value) = id.parse() {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

async fn admitted(
    gateway: Arc<Gateway>,
    mut request: Request,
    next: Next,
    error_body: ErrorBody,
) -> Response {
    let Some(keys) = &gateway.keys else {
        if is_of_this_machine(request.headers()) {
            return taken(request, next).await;
        }
        return refused(&ClientError::Elsewhere, error_body);
    };
    // Whoever watches over servers has no key.
    if request.uri().path() == "/health" {
        return next.run(request).await;
    }
    let key = key(request.headers()).unwrap_or_default();
    match keys.admit(key, Instant::now()).await {
        Ok(key) => {
            request.extensions_mut().insert(key);
            taken(request, next).await
        }
        Err(Refusal::Unknown) => {
            gateway.metrics.refused("key");
            refused(&ClientError::Unauthorized, error_body)
        }
        Err(Refusal::TooMany { retry_after_s }) => {
            gateway.metrics.refused("rate");
            refused(&ClientError::TooMany { retry_after_s }, error_body)
        }
    }
}

async fn taken(request: Request, next: Next) -> Response {
    match arriving::arrived(request).await {
        Ok(request) => large::run(request, next).await,
        Err(status) => status.into_response(),
    }
}

/// The key, where the protocols have it.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let bearer = || {
        let (scheme, key) = text(header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    };
    text(HeaderName::from_static("x-api-key")).or_else(bearer)
}

/// A web page from elsewhere may not use the models of whoever looks at it.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let is_local = |name| {
        let value = headers.get(name).map(|it| it.to_str().unwrap_or_default());
        value.is_none_or(|it| host_is_local(it.rsplit("//").next().unwrap_or(it)))
    };
    is_local(header::ORIGIN) && is_local(header::HOST)
}

/// `localhost:8484`, `127.0.0.1`, `[::1]:8484` and the like.
pub(super) fn host_is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |it: &str| it.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    host.eq_ignore_ascii_case("localhost") || is_loopback(address)
}
