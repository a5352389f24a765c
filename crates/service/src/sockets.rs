//! One port on one or more addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

use crate::config::Swarm;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;

/// What a service listens on.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) listeners: Vec<TcpListener>,
    port: u16,
    /// The first address that is listened on.
    address: IpAddr,
}

impl Sockets {
    /// Listens on `port` of every address of `swarm`; port 0 is a free one, the same on each address.
    /// An address of a family that this machine doesn't have is left out, as long as one remains.
    pub fn bind(swarm: &Swarm, port: u16) -> anyhow::Result<Self> {
        let mut sockets = Self { listeners: Vec::new(), port, address: Ipv4Addr::LOCALHOST.into() };
        for address in &swarm.bind {
            match listen(SocketAddr::new(*address, sockets.port)) {
                Ok(listener) => {
                    sockets.port = listener.local_addr()?.port();
                    if sockets.listeners.is_empty() {
                        sockets.address = *address;
                    }
                    sockets.listeners.push(listener);
                }
                Err(error) if is_missing_family(&error) => {
                    tracing::info!(%address, "this machine doesn't have the address; it is left out");
                }
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("{address} port {} can't be listened on", sockets.port));
                }
            }
        }
        if sockets.listeners.is_empty() {
            bail!("none of the addresses in swarm.bind exists on this machine");
        }
        Ok(sockets)
    }

    /// A free port on 127.0.0.1 alone.
    pub fn loopback() -> anyhow::Result<Self> {
        Self::bind(&Swarm { bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..Swarm::default() }, 0)
    }

    /// Cuts off a peer that acknowledges nothing, or takes nothing, for so long. The kernel sees to it, also where nobody
    /// here is about to write. Where there is no such option, what waits for a peer to take its answer ends it later.
    pub fn cut_off_after(&self, silence: Duration) -> anyhow::Result<()> {
        #[cfg(target_os = "linux")]
        for listener in &self.listeners {
            // What is accepted inherits it.
            SockRef::from(listener).set_tcp_user_timeout(Some(silence))?;
        }
        Ok(())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address under which this machine reaches what listens here.
    pub fn url(&self) -> String {
        pas_types::catalog::url_of(self.address, self.port)
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait until the old connections are forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_missing_family(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, Unsupported};
    const EAFNOSUPPORT: i32 = 97;
    matches!(error.kind(), AddrNotAvailable | Unsupported) || error.raw_os_error() == Some(EAFNOSUPPORT)
}
