//! What is said over the interface, and to whom.
//!
//! In scope: bodies of requests and how a record is made of one ([`body`]); what a role may see of a record, and in which words ([`view`], [`told`],
//! [`words`]); problems, RFC 9457, whose texts are fixed here and never hold what somebody sent or what is stored ([`problem`]); the table of roles
//! and routes ([`roles`]).
//!
//! Not in scope: sockets, sessions and limits (`countersign-server`); what may be recorded and what is decided (`countersign-conflict`).
//!
//! Limits: a body of a record is as long as the server takes it (1 MiB); a line of a stream at most [`body::LINE_BYTES_MAX`].

pub mod asyncapi;
pub mod body;
pub mod marking;
pub mod mnpi;
pub mod openapi;
pub mod problem;
pub mod roles;
pub mod scim;
pub mod told;
pub mod view;
pub mod words;
