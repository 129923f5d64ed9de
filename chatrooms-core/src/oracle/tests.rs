//! The judge is judged: a good run passes, and for each rule a run that breaks this rule alone is blamed for it alone.

mod broken;
mod good;
mod kit;
