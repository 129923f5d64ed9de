//! Requests as peers send them, in order or not.

use http::{HeaderName, HeaderValue, Request};

use super::*;

fn request(uri: &str, name: HeaderName, values: &[&[u8]]) -> Parts {
    let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
    for value in values {
        parts.headers.append(&name, HeaderValue::from_bytes(value).unwrap());
    }
    parts
}

/// What the cookie `id` is said to be.
fn id_in(headers: &[&[u8]]) -> Option<String> {
    cookie(&request("/", header::COOKIE, headers), "id").map(str::to_owned)
}

fn bearer_in(headers: &[&[u8]]) -> Option<String> {
    bearer(&request("/", header::AUTHORIZATION, headers)).map(str::to_owned)
}

fn token_in(uri: &str) -> Option<String> {
    query(&request(uri, header::HOST, &[]), "token").map(Cow::into_owned)
}

/// What stands behind `token.`.
fn offered_in(headers: &[&[u8]]) -> Option<String> {
    subprotocol(&request("/", header::SEC_WEBSOCKET_PROTOCOL, headers), "token.").map(str::to_owned)
}

#[test]
fn a_cookie_is_found_wherever_it_stands() {
    for headers in [
        &[&b"id=ABC"[..]][..],
        &[b"theme=dark; id=ABC; lang=en"],
        &[b"theme=dark;id=ABC;"],
        &[b" ;; id=ABC ; =; x"],
        &[b"theme=dark", b"id=ABC"],
        &[b"xid=1; id2=2; ID=3; id=ABC"],
        &[b"id=ABC; id=ABC"],
    ] {
        assert_eq!(id_in(headers).as_deref(), Some("ABC"), "{headers:?}");
    }
    assert_eq!(id_in(&[b"id=a=b=="]).as_deref(), Some("a=b=="));
    assert_eq!(id_in(&[b"id=\"ABC\""]).as_deref(), Some("\"ABC\""), "quotes belong to it");
    assert_eq!(id_in(&[b"id=%41+"]).as_deref(), Some("%41+"), "nothing is decoded");
}

#[test]
fn a_neighbours_cookie_that_is_no_text_hides_no_other() {
    assert_eq!(id_in(&[b"name=Zo\xc3\xab \xff\t; id=ABC"]).as_deref(), Some("ABC"));
}

#[test]
fn what_is_no_cookie_of_that_name_is_none() {
    for headers in [
        &[][..],
        &[&b""[..]],
        &[b"id"],
        &[b"id="],
        &[b"id=;"],
        &[b"id =ABC"],
        &[b"id= ABC"],
        &[b"id=A B"],
        &[b"id=A\xffB"],
        &[b"id=A\tB"],
        &[b"Id=ABC"],
        &[b"theme=id=ABC"],
        &[b"theme=dark, id=ABC"],
    ] {
        assert_eq!(id_in(headers), None, "{headers:?}");
    }
}

#[test]
fn cookies_that_differ_are_none_but_can_all_be_looked_at() {
    for headers in [
        &[&b"id=ABC; id=XYZ"[..]][..],
        &[b"id=ABC", b"id=XYZ"],
        &[b"id=ABC; id="],
        &[b"id=ABC; id=\xff"],
    ] {
        assert_eq!(id_in(headers), None, "{headers:?}");
    }
    let request = request("/", header::COOKIE, &[b"id=1; x=2; id=", b"id=3; id=\xff; id=1"]);
    assert_eq!(cookies(&request, "id").collect::<Vec<_>>(), ["1", "3", "1"]);
    assert_eq!(cookies(&request, "").count(), 0);
}

#[test]
fn a_bearer_token_is_one_word_after_its_scheme() {
    for headers in [
        &[&b"Bearer ABC"[..]][..],
        &[b"bearer ABC"],
        &[b"BEARER   ABC"],
        &[b"Bearer ABC", b"bearer ABC"],
    ] {
        assert_eq!(bearer_in(headers).as_deref(), Some("ABC"), "{headers:?}");
    }
    assert_eq!(bearer_in(&[b"Bearer 1|a.b-c_d~e+f/g=="]).as_deref(), Some("1|a.b-c_d~e+f/g=="));
}

#[test]
fn what_is_no_bearer_token_is_none() {
    for headers in [
        &[][..],
        &[&b""[..]],
        &[b"Bearer"],
        &[b"Bearer "],
        &[b"BearerABC"],
        &[b"Bearer\tABC"],
        &[b"Bearer ABC DEF"],
        &[b"Bearer ABC, Bearer ABC"],
        &[b"Bearer A\xffC"],
        &[b"Bearer \xc3\xa9"],
        &[b"Bear\xc3\xa9r ABC"],
        &[b"Basic QTpC"],
        &[b" Bearer ABC"],
        &[b"Bearer ABC", b"Bearer XYZ"],
        &[b"Bearer ABC", b"Basic QTpC"],
        &[b"Basic QTpC", b"Bearer ABC"],
    ] {
        assert_eq!(bearer_in(headers), None, "{headers:?}");
    }
}

#[test]
fn a_parameter_is_found_and_decoded() {
    for uri in [
        "/?token=ABC",
        "/?room=a&token=ABC&x",
        "/?token=%41%42C",
        "/?%74oken=ABC",
        "/?token=ABC&token=%41BC",
        "/?&&token=ABC&",
    ] {
        assert_eq!(token_in(uri).as_deref(), Some("ABC"), "{uri}");
    }
    assert_eq!(token_in("/?token=a%2Bb+c=%C3%A9").as_deref(), Some("a+b c=é"));
}

#[test]
fn what_is_no_parameter_of_that_name_is_none() {
    for uri in [
        "/",
        "/?",
        "/?token",
        "/?token=",
        "/?Token=ABC",
        "/?xtoken=ABC",
        "/?token=%FF",
        "/?token=AB%C3",
        "/?%FFtoken=ABC",
        "/?x=token=ABC",
        "/?token=ABC&token=XYZ",
        "/?token=ABC&token=",
        "/?token=&token=ABC",
    ] {
        assert_eq!(token_in(uri), None, "{uri}");
    }
}

#[test]
fn a_subprotocol_is_found_behind_its_prefix() {
    for headers in [
        &[&b"chatrooms.v1.json, token.ABC"[..]][..],
        &[b"token.ABC,chatrooms.v1.json"],
        &[b"token.ABC"],
        &[b"chatrooms.v1.json", b" token.ABC "],
        &[b"token.ABC, token.ABC, mqtt"],
        &[b"TOKEN.XYZ, token.ABC"],
    ] {
        assert_eq!(offered_in(headers).as_deref(), Some("ABC"), "{headers:?}");
    }
    let jwt = b"chatrooms.v1.json, token.eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.a-b_c";
    assert_eq!(offered_in(&[jwt]).as_deref(), Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.a-b_c"));
}

#[test]
fn what_is_no_subprotocol_of_that_prefix_is_none() {
    for headers in [
        &[][..],
        &[&b""[..]],
        &[b"chatrooms.v1.json"],
        &[b"chatrooms.v1.json, token"],
        &[b"chatrooms.v1.json, token."],
        &[b"xtoken.ABC"],
        &[b"token.A B"],
        &[b"token.A/B"],
        &[b"token.ABC="],
        &[b"token.\"ABC\""],
        &[b"token.A\xffC"],
        &[b"token.ABC, token.XYZ"],
        &[b"token.ABC", b"token.XYZ"],
        &[b"token.ABC, token."],
    ] {
        assert_eq!(offered_in(headers), None, "{headers:?}");
    }
}

#[test]
fn the_protocol_itself_is_nobodys_token() {
    let request =
        request("/", header::SEC_WEBSOCKET_PROTOCOL, &[b"chatrooms.v1.json, chatrooms.ABC"]);
    assert_eq!(subprotocol(&request, "chatrooms."), Some("ABC"));
    assert_eq!(subprotocol(&request, "chatrooms.v1."), None);
    assert_eq!(subprotocol(&request, ""), Some("chatrooms.ABC"));
}

/// Every sequence of a few bytes that mean something, in every header: nothing of it may panic, or be taken for what it is not.
#[test]
fn no_bytes_of_a_peer_panic() {
    const BYTES: &[u8] = b"id=;, Bearer\t\"%\xc3\xa9\xff&?";
    for a in BYTES {
        for b in BYTES {
            for c in BYTES {
                let value = [&[*a, *b, *c][..], b"id=", &[*c, *a]].concat();
                let scheme = [b"Bearer", &[*a, *b, *c][..]].concat();
                let offer = [b"token.", &[*a, *b, *c][..]].concat();
                let found = [
                    id_in(&[&value]),
                    bearer_in(&[&value]),
                    bearer_in(&[&scheme]),
                    offered_in(&[&offer]),
                ];
                for text in found.iter().flatten() {
                    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
                }
            }
        }
    }
}
