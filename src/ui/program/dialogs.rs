//! The file dialogs of both windows: where a paper goes, where a file comes from.

use iced::Task;

use super::{App, Message};
use crate::app::notice::Paper;
use crate::ui::{resident, staff};
use crate::{tr, trr};

impl App {
    pub(super) fn pick_sheet_path(&self, paper: staff::AccountPaper) -> Task<Message> {
        let (title, name) = match paper {
            staff::AccountPaper::RecoverySheet => (tr!(self.staff_texts, "sheet-save"), "menka-recovery.pdf"),
            staff::AccountPaper::Looks(_) => (tr!(self.staff_texts, "looks-save"), "menka-looks.pdf"),
        };
        let dialog = rfd::AsyncFileDialog::new().set_title(title).set_file_name(name).add_filter("PDF", &["pdf"]);
        Task::perform(dialog.save_file(), move |picked| {
            Message::Staff(staff::Message::SheetPicked(paper, picked.map(|file| file.path().to_owned())))
        })
    }

    pub(super) fn pick_path(
        &self,
        name: &str,
        picked: impl Fn(Option<std::path::PathBuf>) -> resident::Message + Send + 'static,
    ) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(trr!(self.resident_texts, "paper-save"))
            .set_file_name(name)
            .add_filter("PDF", &["pdf"]);
        Task::perform(dialog.save_file(), move |file| {
            Message::Resident(picked(file.map(|file| file.path().to_owned())))
        })
    }

    pub(super) fn pick_own_path(&self, pick: resident::rights::Pick) -> Task<Message> {
        let (name, ending) = pick.file();
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(trr!(self.resident_texts, "mine-title"))
            .set_file_name(name)
            .add_filter(ending, &[ending]);
        Task::perform(dialog.save_file(), move |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Resident(resident::Message::Rights(resident::rights::Message::PathPicked(pick, path)))
        })
    }

    pub(super) fn pick_rights_path(&self, pick: staff::rights::Pick) -> Task<Message> {
        let (name, ending) = pick.file();
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(tr!(self.staff_texts, "rights-title"))
            .set_file_name(name)
            .add_filter(ending, &[ending]);
        Task::perform(dialog.save_file(), move |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Rights(staff::rights::Message::PathPicked(pick, path)))
        })
    }

    pub(super) fn pick_paper_path(&self, paper: Paper) -> Task<Message> {
        let language = self.staff_texts.language();
        let dialog =
            rfd::AsyncFileDialog::new().set_title(tr!(self.staff_texts, "paper-save")).set_file_name(paper.file_name());
        Task::perform(dialog.save_file(), move |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::PaperPicked(paper, language, path))
        })
    }

    pub(super) fn pick_site_file(&self) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(tr!(self.staff_texts, "site-file-load"))
            .add_filter("COSE", &["cose"]);
        Task::perform(dialog.pick_file(), |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::SiteFilePicked(path))
        })
    }

    pub(super) fn pick_evidence_path(&self, pick: staff::Pick) -> Task<Message> {
        let texts = &self.staff_texts;
        let (title, name, kind, ending) = match pick {
            staff::Pick::Head => (tr!(texts, "head-take"), "menka-head.pdf", "PDF", "pdf"),
            staff::Pick::Log => (tr!(texts, "export-write"), "menka-log.jsonl", "JSON Lines", "jsonl"),
            staff::Pick::Replay => (tr!(texts, "shown-save"), "menka-shown.json", "JSON", "json"),
        };
        let dialog = rfd::AsyncFileDialog::new().set_title(title).set_file_name(name).add_filter(kind, &[ending]);
        Task::perform(dialog.save_file(), move |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Picked(pick, path))
        })
    }

    pub(super) fn pick_duty_path(&self, pick: staff::duties::Pick) -> Task<Message> {
        use staff::duties::Pick;
        let title = tr!(self.staff_texts, "duty-save");
        let dialog = rfd::AsyncFileDialog::new().set_title(title);
        let answer = move |picked: Option<rfd::FileHandle>| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Duties(staff::duties::Message::PathPicked(pick, path)))
        };
        match pick {
            Pick::Letters(_) | Pick::SiteEnd => Task::perform(dialog.pick_folder(), answer),
            Pick::Paper(paper) => {
                let dialog = dialog.set_file_name(paper.file_name()).add_filter("PDF", &["pdf"]);
                Task::perform(dialog.save_file(), answer)
            }
        }
    }

    pub(super) fn pick_form_path(&self) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(tr!(self.staff_texts, "form-save-pdf"))
            .set_file_name("menka-form.pdf")
            .add_filter("PDF", &["pdf"]);
        Task::perform(dialog.save_file(), |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Paper(staff::paper::Message::PathPicked(path)))
        })
    }

    pub(super) fn pick_keep(&self, pick: staff::keep::Pick) -> Task<Message> {
        use staff::keep::Pick;
        let (texts, language) = (&self.staff_texts, self.staff_texts.language());
        let picked = move |file: Option<rfd::FileHandle>| {
            let path = file.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Keep(staff::keep::Message::Picked(pick, language, path)))
        };
        let dialog = rfd::AsyncFileDialog::new();
        match pick {
            Pick::Into => Task::perform(dialog.set_title(tr!(texts, "keep-back-up")).pick_folder(), picked),
            Pick::From => Task::perform(dialog.set_title(tr!(texts, "keep-pick-backup")).pick_folder(), picked),
            Pick::Sheet => {
                let dialog = dialog.set_title(tr!(texts, "keep-sheet-save")).set_file_name("menka-backup-key.pdf");
                Task::perform(dialog.add_filter("PDF", &["pdf"]).save_file(), picked)
            }
        }
    }

    pub(super) fn pick_report_path(&self) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(tr!(self.staff_texts, "doctor-save"))
            .set_file_name("menka-report.txt")
            .add_filter("TXT", &["txt"])
            .add_filter("JSON", &["json"]);
        Task::perform(dialog.save_file(), |picked| {
            let path = picked.map(|file| file.path().to_owned());
            Message::Staff(staff::Message::Machine(staff::machine::Message::PathPicked(path)))
        })
    }
}
