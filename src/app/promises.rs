//! Every act that the notice promises, bound to the command that does it. While one is missing, face entry on a real site is off
//! ([`crate::domain::permit::Blocker::PromiseNotKept`]): a notice that says more than the program does is itself a wrong (J15 2(4)).

/// An act that the notice promises, with the place of the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Section of the notice.
    pub section: &'static str,
    /// A few words of the promise, as in the Chinese text.
    pub words: &'static str,
    /// The command that keeps it; `None` while it is not built.
    pub kept_by: Option<&'static str>,
}

const fn kept(section: &'static str, words: &'static str, command: &'static str) -> Promise {
    Promise { section, words, kept_by: Some(command) }
}

/// The promises, in the order of the notice.
pub const PROMISES: &[Promise] = &[
    kept("二", "您表示不录之后，只有您主动提出，我们才会再次办理", "ResidentCommand::AskFace"),
    kept("五", "先给您办好门禁卡", "StaffCommand::IssueCard"),
    kept("五", "画面里出现别人，这一张就作废", "domain::quality::judge"),
    kept("五", "真人到场", "domain::presence"),
    kept("五", "门禁机回读确认，您当场试一次", "ResidentCommand::TryGate"),
    kept("五", "您拿到一份回执", "ResidentCommand::SaveReceipt"),
    kept("八", "最迟在失去联系", "gate::lease"),
    kept("八", "到期不用您申请，程序自动从全部门禁机里删除", "vault::retention::run_retention"),
    kept("十一", "撤回并删除", "ResidentCommand::ConfirmWithdraw"),
    kept("十一", "或者打", "StaffCommand::WithdrawFor"),
    kept("十一", "人脸信息删除证明", "DeletionCommand::SaveCertificate"),
    kept("十一", "只停用，或者减少几道门", "ResidentCommand::ChangeDoors"),
    kept("十一", "前台当场打印我们持有的您的全部信息，包括谁看过", "RightsCommand::SavePaper"),
    kept("十一", "您要人脸特征的副本，我们说明风险后加密给您", "OwnFaceAct::MakeCopy"),
    kept("十一", "更正、补充", "StaffCommand::SaveResident"),
    kept("十一", "人脸特征不准的，先删旧的再录", "OwnFaceAct::ConfirmRedo"),
    kept("十一", "能转移的信息给您电子副本", "RightsAct::SaveCopy"),
    kept("十一", "人脸特征没有通用格式，不能转移时书面说明理由", "RightsCommand::SaveCopy"),
    kept("十一", "限制或者拒绝处理", "RightsAct::ConfirmRefuseFace"),
    kept("十一", "要求解释本告知书", "RightsAct::Explain"),
    kept("十一", "注销", "DeletionCommand::CloseRecord"),
    kept("十一", "近亲属可以要求查阅、复制、更正、删除", "RightsCommand::Died"),
    kept("十一", "个工作日答复", "RightsCommand::Receive"),
    kept("十一", "我们不同意您的要求时，会书面说明理由", "RightsCommand::Refuse"),
    kept("十二", "必须由父母或者其他监护人同意，适用专门的规则", "GuardianCommand::Check"),
    kept("十二", "由本人决定，并请监护人签字知悉；本人说不录就不录", "GuardianAct::SignInformed"),
    kept("十二", "由监护人决定，并尊重本人的意愿", "GuardianAct::Heard"),
    kept("十", "人脸特征一律删除，不移交", "SiteEndCommand::End"),
    kept("十三", "立即停用人脸", "DeletionCommand::StopFaces"),
    kept("十三", "用电话、短信、信件或者公告告诉您", "IncidentCommand::SaveLetters"),
    kept("十三", "同时告诉监护人", "IncidentCommand::Told"),
    kept("十五", "日内答复", "RightsAct::Ask"),
    kept("十六", "可以放大、朗读、打印", "ResidentCommand::Aid"),
    kept("十七", "任何人可以查阅", "ResidentCommand::ShowRules"),
    kept("十七", "您可以带走一份", "AidCommand::Save"),
];

/// Whether every promise has its command.
pub fn all_kept() -> bool {
    PROMISES.iter().all(|p| p.kept_by.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j15_each_promise_is_a_sentence_of_the_notice() {
        let notice = include_str!("../../assets/notices/zh-CN/notice.md").replace("**", "");
        for promise in PROMISES {
            assert!(notice.contains(promise.words), "section {}: {}", promise.section, promise.words);
        }
    }

    #[test]
    fn j15_each_kept_promise_names_a_command_or_a_rule_that_exists() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let app: String = std::fs::read_dir(source.join("app"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
            .collect();
        for promise in PROMISES {
            let Some(kept_by) = promise.kept_by else { continue };
            let (owner, name) = kept_by.rsplit_once("::").unwrap_or(("", kept_by));
            let found = if owner.ends_with("Command") || owner.ends_with("Act") {
                // The variants stand between the enum's line and the brace at the start of a line.
                let body = app.split(&format!("pub enum {owner} {{")).nth(1).and_then(|rest| rest.split("\n}").next());
                body.is_some_and(|body| {
                    body.lines().any(|line| {
                        line.strip_prefix("    ")
                            .and_then(|l| l.strip_prefix(name))
                            .is_some_and(|rest| rest.starts_with([',', '(']) || rest.starts_with(" {"))
                    })
                })
            } else {
                let folder = source.join(owner.replace("::", "/"));
                let rule = std::fs::read_to_string(folder.with_extension("rs")).unwrap_or_default();
                rule.contains(&format!("pub fn {name}(")) || folder.join(name).with_extension("rs").is_file()
            };
            assert!(found, "section {}: {} is kept by {kept_by}, which does not exist", promise.section, promise.words);
        }
    }
}
