//! The steps at which a deletion certificate can fail, in words of both languages.

use super::EvidenceError;

/// The first step of a certificate that does not hold. Gates by their shown names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Step {
    /// Not a certificate file, or damaged.
    #[error("step 1, the file: this is not a deletion certificate, or it is damaged")]
    File,
    /// The desk's signature over the statement.
    #[error("step 2, the desk's signature: {0}")]
    Signature(EvidenceError),
    /// The consent record does not verify, or is another one.
    #[error("step 3, the consent record: missing, not signed by this desk, or another one")]
    Consent,
    /// A gate named in the consent is not in the certificate.
    #[error("step 4, every gate of the consent: gate {0} is named in the consent and missing here")]
    GateMissing(String),
    /// The gate's receipt is missing.
    #[error("step 5, the receipts: the signed erasure receipt of {0} is missing")]
    ReceiptMissing(String),
    /// The receipt is not signed by that gate's key.
    #[error("step 6, the gates' signatures: the receipt of {0} is not signed by that gate")]
    ReceiptSignature(String),
    /// The receipt is for something else.
    #[error("step 7, what was erased: the receipt of {0} is for another gate, operation, template or realm")]
    ReceiptOther(String),
    /// The gate did not attest that nothing is left, or the station did not ask again.
    #[error("step 8, the read-back: {0} was not read back as empty")]
    ReadBack(String),
    /// A gate that has not signed, and nothing is said to stop the face there.
    #[error("step 9, the stop: nothing is said to stop the face at {0}, which has not signed")]
    Stop(String),
    /// The last contact, or a switch-off by hand, is stated as earlier than a signature of the gate proves.
    #[error(
        "step 9, the stop: {0} signed something later than the last contact or switch-off that is stated, so it stops later"
    )]
    Contact(String),
    /// It says "complete" while a gate is pending, or the other way round.
    #[error("step 10, the conclusion: it does not follow from the gates")]
    Conclusion,
}

impl Step {
    /// The same in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            Self::File => "第1步 文件：不是删除证明，或者已损坏".into(),
            Self::Signature(_) => "第2步 前台签名：不是用这把公钥签的，或者签后被改动".into(),
            Self::Consent => "第3步 同意记录：缺失、签名不符，或者是另一份".into(),
            Self::GateMissing(gate) => format!("第4步 同意里的每道门：门禁机 {gate} 在同意里，证明里没有"),
            Self::ReceiptMissing(gate) => format!("第5步 回执：缺少“{gate}”签名的删除回执"),
            Self::ReceiptSignature(gate) => format!("第6步 门禁机签名：“{gate}”的回执不是这台门禁机签的"),
            Self::ReceiptOther(gate) => {
                format!("第7步 删的是什么：“{gate}”的回执属于别的门禁机、操作、人脸特征或者环境")
            }
            Self::ReadBack(gate) => format!("第8步 回读：没有证明“{gate}”里已经没有"),
            Self::Stop(gate) => format!("第9步 停用：“{gate}”尚未删除，也没有写明怎样停用"),
            Self::Contact(gate) => {
                format!("第9步 停用：“{gate}”在所写的最后联系或者人工关闭之后还签过名，停用时间写早了")
            }
            Self::Conclusion => "第10步 结论：与各道门的情况不符".into(),
        }
    }
}
