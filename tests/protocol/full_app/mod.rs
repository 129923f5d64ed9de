//! What is true of the application `full_app` alone: its pages, its cookies, its process.

mod command_line;
mod entering;
mod lingering;
mod ownership;
mod pages;
mod restarting;
mod signals;
