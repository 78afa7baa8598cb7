//! The front of the service: what a request goes through before its route, and its answer after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::problem::Kind;
use countersign_api::scim;
use tower_service::Service as _;

use crate::answer::{Failure, Said};
use crate::app::Shared;
use crate::append::scope;
use crate::limits::{BODY_BYTES_MAX, TOO_LARGE_PAUSE};
use crate::trace;
use crate::who::Shown;

/// A route, by the template its paths are of.
#[derive(Debug)]
pub(crate) struct Route {
    /// The template.
    pub(crate) template: Arc<str>,
    /// What keys of requests to it begin with.
    pub(crate) scope: String,
}

impl Route {
    pub(crate) fn of(template: &str) -> Arc<Self> {
        Arc::new(Self { template: template.into(), scope: scope(template) })
    }
}

/// Which route a path is of.
pub(crate) type Templates = matchit::Router<Arc<Route>>;

/// The routes, behind everything a request goes through. Not a layer of the router's: those are boxes around each route, made anew for each request.
#[derive(Clone)]
pub struct Front {
    app: Shared,
    /// Which template a path is of.
    templates: Arc<Templates>,
    router: Router,
    /// Stands for the route of a path that is of none.
    nowhere: Arc<Route>,
}

impl Front {
    /// Over these routes.
    pub(crate) fn of(app: &Shared, templates: Templates, router: Router) -> Self {
        Self { app: Arc::clone(app), templates: Arc::new(templates), router, nowhere: Route::of("-") }
    }

    /// The answer to a request of somebody who shows this.
    pub(crate) async fn answer(&self, shown: &Arc<Shown>, mut request: Request) -> Response {
        let (app, began) = (&self.app, Instant::now());
        let method = request.method().clone();
        let by = shown.by(request.headers());
        let asks_not_to_wait = request.headers().contains_key(PREFER) && prefers_not_to_wait(request.headers());
        let route = self.templates.at(request.uri().path()).map_or(&self.nowhere, |found| found.value);
        let mut principal = None;
        let parent = trace::sent(request.headers());
        let answering = async {
            let asked = app.admitted(shown, &method, request.headers(), route).await?;
            principal = asked.caller.as_ref().map(|c| c.principal.clone());
            request.extensions_mut().insert(asked.clone());
            DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
            let response = self.router.clone().call(request).await.unwrap_or_else(|never| match never {});
            Ok::<_, Failure>(app.record_question(&asked, response).await)
        };
        let answered = tokio::time::timeout(app.config.limits.request(), answering).await;
        let mut response = answered.unwrap_or_else(|_| Err(Kind::Timeout.into())).unwrap_or_else(Failure::into_response);
        if let Some(kind) = foreign(&response) {
            response = Failure::from(kind).into_response();
        }
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
            tokio::time::sleep(TOO_LARGE_PAUSE).await;
        }
        let (problem, trace) = say(&mut response, &route.template, parent.as_ref()).unzip();
        let not_waited = asks_not_to_wait && response.status() == StatusCode::ACCEPTED;
        let headers = response.headers_mut();
        if not_waited {
            headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let (status, took) = (response.status().as_u16(), began.elapsed());
        app.metrics.answered(&method, &route.template, status, took);
        let (problem, trace) = (problem.unwrap_or("-"), trace.flatten().or_else(|| trace::own(parent.as_ref()?)));
        // Of an access that was recorded its entry tells, and a line for each of millions would be the ledger once more; who traces it gets one.
        if status == 201 && &*route.template == ACCESSES && trace.is_none() {
            return response;
        }
        // The template alone: ids, parameters, headers and bodies never come here.
        let principal = principal.as_ref().map_or("-", |p| p.as_str());
        tracing::info!(target: "request", method = word(&method), route = &*route.template, status, problem, micros = micros(took), by, principal, trace = trace.as_deref().unwrap_or("-"));
        response
    }
}

/// Where accesses are recorded.
const ACCESSES: &str = "/api/v1/accesses";

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: &str = "respond-async";

/// Whether a client says that it does not want to wait (RFC 7240 section 4.1). What takes long never has anybody wait, so this only says that it was heard.
fn prefers_not_to_wait(headers: &HeaderMap) -> bool {
    let all = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = all.flat_map(|value| value.split(',')).filter_map(|one| one.split(';').next());
    preferences.any(|one| one.trim().eq_ignore_ascii_case(RESPOND_ASYNC))
}

/// Says a problem, with the trace that joins it to its line in the log; what is no problem needs none. Which it was, for that line.
fn say(response: &mut Response, route: &str, parent: Option<&HeaderValue>) -> Option<(&'static str, Option<String>)> {
    let mut said = response.extensions_mut().remove::<Said>()?;
    said.problem.trace_id = trace::id(parent);
    let body = if route.starts_with(scim::PATH) {
        // Of the statuses SCIM knows, the one for what cannot be taken as it is (RFC 7644 section 3.12).
        if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
            *response.status_mut() = StatusCode::BAD_REQUEST;
            said.problem.status = StatusCode::BAD_REQUEST.as_u16();
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(scim::MEDIA));
        serde_json::to_vec(&scim::error(&said.problem))
    } else {
        serde_json::to_vec(&said)
    };
    response.headers_mut().remove(header::CONTENT_LENGTH);
    // Texts, numbers and booleans: nothing in it fails to be JSON.
    *response.body_mut() = Body::from(body.unwrap_or_default());
    Some((said.problem.which().map_or("-", Kind::slug), said.problem.trace_id))
}

/// What a refusal is that does not come from here: the framework's own are no problems, and may say something of what was sent.
fn foreign(response: &Response) -> Option<Kind> {
    let ours = response.extensions().get::<Said>().is_some();
    match response.status().as_u16() {
        ..400 => None,
        _ if ours => None,
        413 => Some(Kind::TooLarge),
        415 => Some(Kind::MediaType),
        405 => Some(Kind::Method),
        400..500 => Some(Kind::Validation),
        _ => Some(Kind::Internal),
    }
}

/// A method as a fixed word: anything a client makes up is none.
pub(crate) fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
