//! A reverse proxy that does nothing else: hyper's server, hyper's client, nothing between. What a gateway costs is told
//! against it.
//!
//! A worker is a thread with its own runtime, its own listener on the one port (SO_REUSEPORT) and its own pool of upstream
//! connections. One runtime of two threads over one listener took 1.16 times the processor time a call and answered 0.62
//! times as many (64 connections, in turn, on two cores).

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use hyper::body::Incoming;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_util::task::TaskTracker;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;

/// Passes on whatever comes, as it comes.
#[derive(Debug, Parser)]
#[command(name = "pas-bare-proxy", version)]
struct Command {
    /// The port of 127.0.0.1; 0 is a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where to: an address and a port.
    #[arg(long)]
    upstream: Authority,
    /// How many workers; by default one for each core.
    #[arg(long)]
    workers: Option<usize>,
}

type Upstream = Client<HttpConnector, Incoming>;

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workers =
        command.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let first = listen(command.port).context("the port can't be listened on")?;
    let port = first.local_addr()?.port();
    let mut sockets = vec![first];
    for _ in 1..workers {
        sockets.push(listen(port)?);
    }
    let workers: Vec<_> = sockets
        .into_iter()
        .map(|socket| {
            let upstream = command.upstream.clone();
            std::thread::spawn(move || work(socket, upstream))
        })
        .collect();
    // Who started it reads the port here.
    drop(writeln!(io::stdout(), "{}", json!({"message": "listening", "port": port})));
    for worker in workers {
        worker.join().ok().context("a worker panicked")??;
    }
    Ok(())
}

fn listen(port: u16) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn work(socket: std::net::TcpListener, upstream: Authority) -> anyhow::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::from_std(socket)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let connections = TaskTracker::new();
        loop {
            let (stream, _) = listener.accept().await?;
            connections.spawn(serve(stream, client.clone(), upstream.clone()));
        }
    })
}

async fn serve(stream: TcpStream, client: Upstream, upstream: Authority) {
    // A client that is gone, or an upstream that is, ends the connection; nobody else is to know.
    drop(stream.set_nodelay(true));
    let pass = service_fn(|request| pass(&client, &upstream, request));
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), pass).await);
}

async fn pass(
    client: &Upstream,
    to: &Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Incoming>, Error> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(to.clone());
    parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    // All three parts are there, which is all that could be wrong.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    client.request(request).await
}
