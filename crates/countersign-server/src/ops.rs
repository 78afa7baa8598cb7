//! Health and metrics, on an address of their own, without TLS: for the machine and whoever watches it.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::app::Shared;

/// `/healthz`, `/readyz`, `/metrics`.
pub fn router(app: Shared) -> Router {
    Router::new()
        // It answers, so it lives.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app)
}

/// Ready is who can record: everything else can be had from an export.
async fn ready(State(app): State<Shared>) -> Response {
    let (_, writable, why) = standing(&app).await;
    let stopping = *app.stopping.borrow();
    let ready = writable && !stopping;
    let why = if stopping { Some("the service stops") } else { why };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({ "ready": ready, "because": why }))).into_response()
}

async fn metrics(State(app): State<Shared>) -> Response {
    let (size, writable, _) = standing(&app).await;
    let text = app.metrics.render(size, writable);
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text).into_response()
}

/// Size, whether something can be recorded, and in fixed words why not.
async fn standing(app: &Shared) -> (u64, bool, Option<&'static str>) {
    let door = std::sync::Arc::clone(&app.door);
    let looked = tokio::task::spawn_blocking(move || door.standing());
    let (size, why) = looked.await.unwrap_or((0, Some("the writer stopped")));
    (size, why.is_none(), why)
}
