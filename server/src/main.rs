//! The `tradefloor` command.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use app::{App, shell};
use axum::Router;
use axum::routing::get;
use clap::{Parser, Subcommand, ValueEnum};
use leptos::prelude::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};

#[derive(Parser)]
#[command(name = "tradefloor", version, about = "A trading floor in one binary")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every agent in this process.
    Serve(Serve),
}

#[derive(clap::Args)]
struct Serve {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Folder of the databases.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// What drives the market's steps.
    #[arg(long, value_enum, default_value_t = Clock::Live)]
    clock: Clock,
}

#[derive(Clone, Copy, ValueEnum)]
enum Clock {
    Live,
    Manual,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve(serve) = Cli::parse().command;
    std::fs::create_dir_all(&serve.data)
        .with_context(|| format!("--data {}", serve.data.display()))?;
    let listener = tokio::net::TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("--listen {}", serve.listen))?;
    let address = listener.local_addr()?;
    let options = LeptosOptions::builder()
        .output_name("tradefloor")
        .site_addr(address)
        .build();
    let routes = generate_route_list(App);
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/pkg/{*file}", get(server::assets::serve))
        .leptos_routes(&options, routes, {
            let options = options.clone();
            move || shell(options.clone())
        })
        .with_state(options);
    #[allow(clippy::print_stdout, reason = "the address is this command's answer")]
    {
        println!("listening on http://{address}");
    }
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
