//! A live socket as a test holds it.

use engine::venue::VenueConfig;
use futures::{SinkExt as _, StreamExt as _};
use protocol::frames::ItemFrame;
use protocol::socket::{Frame, Update};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::site::Visitor;
use super::trading_fixture::TEST_TIMEOUT;

/// An open socket.
pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Visitor {
    /// Opens the live socket, or says with which status it was refused.
    pub async fn socket(&self, query: &str, origin: Option<&str>) -> Result<Socket, u16> {
        let url = format!("{}/api/v1/stream{query}", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Socket { stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens it and subscribes to `channels`; the greeting is read.
    pub async fn follow(&self, query: &str, channels: &[String]) -> Socket {
        let mut socket = self.socket(query, Some(&self.base)).await.unwrap();
        assert!(matches!(socket.frame().await, Frame::Hello(_)));
        socket.say(&json!({ "subscribe": { "channels": channels } })).await;
        socket
    }
}

impl Socket {
    pub async fn say(&mut self, message: &Value) {
        self.put(Message::text(message.to_string())).await;
    }

    pub async fn put(&mut self, message: Message) {
        // A socket that the server has closed meanwhile says so when it is read.
        let _ = self.stream.send(message).await;
    }

    /// The next frame; panics when the socket ends instead.
    pub async fn frame(&mut self) -> Frame<ItemFrame> {
        match self.next().await {
            Ok(frame) => frame,
            Err(code) => panic!("the socket closed with {code}"),
        }
    }

    /// The next frame in its JSON form, or the code that the socket closed with.
    pub async fn next(&mut self) -> Result<Frame<ItemFrame>, u16> {
        loop {
            let next = tokio::time::timeout(TEST_TIMEOUT, self.stream.next()).await.expect("nothing comes");
            match next {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Binary(bytes))) => {
                    let frame: Frame = postcard::from_bytes(&bytes).unwrap();
                    let instruments = VenueConfig::default().instruments().unwrap();
                    return Ok(frame.to_json_form(&instruments).unwrap());
                }
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(Message::Close(None))) | None => return Err(1005),
                Some(Ok(_)) => {}
                Some(Err(_)) => return Err(1006),
            }
        }
    }

    /// The next update.
    pub async fn next_update(&mut self) -> Update<ItemFrame> {
        match self.frame().await {
            Frame::Update(update) => update,
            other => panic!("{other:?} instead of an update"),
        }
    }

    /// The code of the error that comes next.
    pub async fn error(&mut self) -> String {
        loop {
            match self.frame().await {
                Frame::Error(error) => return error.code,
                Frame::Update(_) => {}
                other => panic!("{other:?} instead of an error"),
            }
        }
    }

    /// The code that the socket closes with, whatever comes before.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}
