//! What is true of the application `full_app` alone: its pages, its cookies, its process.

mod address;
mod cluster;
mod command_line;
mod connections;
mod cookies;
mod crashing;
mod database_file;
mod deploying;
#[cfg(target_os = "linux")]
mod descriptors;
mod dying;
mod ending;
mod entering;
mod faults;
mod file;
#[cfg(target_os = "linux")]
mod flooding;
mod hoarding;
mod keeping;
mod lingering;
mod logs;
mod lookalikes;
mod methods;
mod moderating;
mod monitoring;
mod ownership;
mod pace;
mod pages;
mod public_url;
mod restarting;
mod sanctions;
mod signals;
mod sleeping;
mod static_files;
