//! Everything that is logged in this process, at every level: by `tracing`, and by the crate `log` as foreign crates use it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Something that was logged.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) by_log: bool,
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) name: String,
    /// Names and values; the message is one of them.
    pub(crate) fields: Vec<(String, String)>,
    /// The spans it stands in, each with its fields, the innermost first.
    pub(crate) spans: Vec<(String, Vec<(String, String)>)>,
}

impl Record {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        value(&self.fields, name)
    }

    /// What the span of the session that it stands in says.
    pub(crate) fn session(&self, field: &str) -> Option<&str> {
        let (_, fields) = self.spans.iter().find(|(name, _)| name == "chatrooms.session")?;
        value(fields, field)
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.texts().any(|value| value.contains(text))
    }

    /// Everything that it says, its spans included.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let spans = self.spans.iter().flat_map(|(_, fields)| fields);
        self.fields.iter().chain(spans).map(|(_, value)| value.as_str())
    }
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

fn records() -> MutexGuard<'static, Vec<Record>> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on everything is kept.
pub(crate) fn keep() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Keeper);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        ::log::set_logger(&Keeper).expect("nobody else listens");
        ::log::set_max_level(::log::LevelFilter::Trace);
    });
}

/// What was logged so far, by all tests of this process.
pub(crate) fn kept() -> Vec<Record> {
    records().clone()
}

struct Keeper;

struct Fields(Vec<(String, String)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name().to_owned(), format!("{value:?}")));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        self.0.push((field.name().to_owned(), text));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keeper {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Vec::new());
        attributes.record(&mut fields);
        context.span(id).expect("the new span").extensions_mut().insert(fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        let scope = context.event_scope(event).into_iter().flatten();
        let spans = scope.map(|span| {
            let fields = span.extensions().get::<Fields>().map(|fields| fields.0.clone());
            (span.name().to_owned(), fields.unwrap_or_default())
        });
        let spans = spans.collect();
        let metadata = event.metadata();
        records().push(Record {
            by_log: false,
            level: metadata.level().as_str().to_lowercase(),
            target: metadata.target().to_owned(),
            name: metadata.name().to_owned(),
            fields: fields.0,
            spans,
        });
    }
}

impl ::log::Log for Keeper {
    fn enabled(&self, _: &::log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &::log::Record<'_>) {
        records().push(Record {
            by_log: true,
            level: record.level().as_str().to_lowercase(),
            target: record.target().to_owned(),
            name: String::new(),
            fields: vec![("message".to_owned(), record.args().to_string())],
            spans: Vec::new(),
        });
    }

    fn flush(&self) {}
}
