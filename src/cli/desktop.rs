//! `samovar desktop install|remove`: the entry in the desktop's menu.

use super::arguments::DesktopCommand;
use super::console::Console;
use super::failure::{Code, Outcome};
use crate::desktop;
use anyhow::{Context, anyhow};
use directories::BaseDirs;

pub(super) fn run(console: &Console, command: DesktopCommand) -> Outcome {
    if cfg!(any(windows, target_os = "macos")) {
        return Err(anyhow!(
            "entries of this kind are for desktops of freedesktop.org, such as GNOME and KDE; here, an installer makes them"
        ));
    }
    let data_home = BaseDirs::new().context("this user has no home folder")?.data_dir().to_path_buf();
    let changed = match command {
        DesktopCommand::Install => {
            let program = std::env::current_exe().context("where this program lies cannot be told")?;
            desktop::install(&data_home, &program)?
        }
        DesktopCommand::Remove => desktop::remove(&data_home)?,
    };
    if changed.files.is_empty() {
        console.note("There was no entry");
    }
    for file in changed.files {
        console.print(&format!("{}\n", file.display()))?;
    }
    Ok(Code::AllWell)
}
