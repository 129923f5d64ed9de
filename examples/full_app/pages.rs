//! The two pages, filled in.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chatrooms::{RoomName, UserName};
use minijinja::{Environment, Value, context};

use crate::{assets::PAGE, failure::Failure};

/// The templates. Whatever is put into them is escaped, because their names end in `.html`.
pub(crate) struct Pages {
    templates: Environment<'static>,
}

/// What the entry form shows: what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryForm {
    pub(crate) username: String,
    pub(crate) username_error: String,
    pub(crate) room: String,
    pub(crate) room_error: String,
}

impl Pages {
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut templates = Environment::new();
        for file in PAGE.files() {
            let (Some(name), Some(source)) = (file.path().to_str(), file.contents_utf8()) else {
                continue;
            };
            if name.ends_with(".html") {
                let added = templates.add_template(name, source);
                added.map_err(|error| Failure::because(name, &error))?;
            }
        }
        Ok(Self { templates })
    }

    pub(crate) fn entry(&self, status: StatusCode, form: &EntryForm) -> Response {
        let EntryForm { username, username_error, room, room_error } = form;
        self.page(status, "entry.html", context! { username, username_error, room, room_error })
    }

    pub(crate) fn chat(&self, room: &RoomName, user: &UserName) -> Response {
        self.page(
            StatusCode::OK,
            "chat.html",
            context! { room => room.as_str(), user => user.as_str() },
        )
    }

    fn page(&self, status: StatusCode, name: &str, values: Value) -> Response {
        let rendered =
            self.templates.get_template(name).and_then(|template| template.render(values));
        match rendered {
            // They hold names, and the next one at this browser is to see none of them.
            Ok(page) => (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "this page is broken").into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>&amp;";

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn whatever_is_typed_is_text() {
        let pages = Pages::load().unwrap();
        let typed = || HOSTILE.to_owned();
        let form = EntryForm {
            username: typed(),
            username_error: typed(),
            room: typed(),
            room_error: typed(),
        };
        let response = pages.entry(StatusCode::BAD_REQUEST, &form);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let page = text(response).await;
        assert!(!page.contains("<script>"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;").count(), 4, "{page}");

        let page = pages.chat(&RoomName::new(HOSTILE).unwrap(), &UserName::new(HOSTILE).unwrap());
        assert!(!text(page).await.contains("<script>"));
    }

    #[tokio::test]
    async fn no_page_has_anything_inline() {
        let pages = Pages::load().unwrap();
        let chat = pages.chat(&RoomName::new("lobby").unwrap(), &UserName::new("ada").unwrap());
        for page in
            [text(pages.entry(StatusCode::OK, &EntryForm::default())).await, text(chat).await]
        {
            for inline in
                ["<style", "style=", "onclick=", "onload=", "<script>", "http://", "https://"]
            {
                assert!(!page.contains(inline), "{inline} in {page}");
            }
        }
    }
}
