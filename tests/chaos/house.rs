//! Duties in the house: an account, a fact of the site, and the computer that the vault is bound to.

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::site::Fact;
use menka::ports::{Clock, NoChip};
use menka::practice::site;
use menka::secret::Passphrase;
use menka::vault::{Vault, VaultError};

use super::chip::Swtpm;
use super::desk::Said;
use super::duties::Site;
use super::report::Break;

/// Gives the desk's computer a chip. `Err`: why there is none.
pub fn with_chip(site: &mut Site<'_>) -> Result<(), String> {
    let chip = Swtpm::start().ok_or("swtpm is not installed")?;
    site.world.desk = None;
    site.world.chip = Some(chip.at.clone());
    site.chip = Some(chip);
    Ok(())
}

/// Every account with its passphrase, beside the ended desk: how many there are, and whether the vault is bound.
fn open_all(site: &mut Site<'_>, with_chip: bool) -> Result<(usize, bool), VaultError> {
    let (folder, passphrase) = (site.world.folder.join("desk"), Passphrase::new(site::PASSPHRASE.into()));
    let now = SystemClock.now();
    let mut chip = if with_chip { site.world.security_chip() } else { Box::new(NoChip) };
    let (mut count, mut bound) = (0, false);
    for account in Vault::accounts_at_the_door(&folder, now)? {
        let vault = Vault::unlock_with(&folder, Realm::Practice, account.id, &passphrase, chip.as_mut(), now)?;
        bound = vault.is_bound()?;
        count += 1;
    }
    Ok((count, bound))
}

fn close_desk(site: &mut Site<'_>) {
    site.world.must("lock");
    site.world.desk = None;
}

fn is_bound(site: &mut Site<'_>) -> bool {
    close_desk(site);
    match open_all(site, true) {
        Ok((2, bound)) => bound,
        other => {
            site.broke(Break::Lost, &format!("accounts on the vault's own computer: {other:?}"));
            false
        }
    }
}

fn to_stand(site: &mut Site<'_>, bound: bool) {
    if is_bound(site) != bound {
        site.world.must(if bound { "bind" } else { "release" });
    }
}

pub fn to_bind(site: &mut Site<'_>) -> String {
    to_stand(site, false);
    "bind".into()
}

pub fn to_release(site: &mut Site<'_>) -> String {
    to_stand(site, true);
    "release".into()
}

pub fn bound(site: &mut Site<'_>, said: &Said) {
    stands(site, said, true);
}

pub fn released(site: &mut Site<'_>, said: &Said) {
    stands(site, said, false);
}

/// Bound or not, one of the two for every account; what was confirmed is so, and without the chip nobody opens a bound vault.
fn stands(site: &mut Site<'_>, said: &Said, should: bool) {
    site.quiet();
    let bound = is_bound(site);
    if said.is_ok() && bound != should {
        site.broke(Break::Lost, &format!("bound: {bound}, and {should} was confirmed"));
    }
    match (bound, open_all(site, false)) {
        (true, Err(VaultError::Chip(_))) | (false, Ok((2, false))) => {}
        (_, other) => site.broke(Break::Unsound, &format!("bound: {bound}, without the chip: {other:?}")),
    }
}

/// Checks everything of this site and goes on in a new one.
pub fn move_on(site: &mut Site<'_>) {
    site.world.check_all();
    let (library, section, count) = (site.world.library.clone(), site.world.section.clone(), site.count);
    *site = Site::new(site.world.report, &library, &section);
    site.count = count;
}

/// A vault has room for so many accounts and some more; then there is another site.
const ACCOUNTS_A_SITE: usize = 8;

/// Another account for the front desk.
pub fn to_employ(site: &mut Site<'_>) -> String {
    if site.count > 0 && site.count.is_multiple_of(ACCOUNTS_A_SITE) {
        move_on(site);
    }
    site.count += 1;
    format!("operator 前台{}", site.count)
}

/// It is there once, or not and is made again.
pub fn employed(site: &mut Site<'_>, said: &Said) {
    site.quiet();
    let name = format!("前台{}", site.count);
    let named = |site: &mut Site<'_>| {
        site.world.must("lock");
        site.world.desk = None;
        let doors = Vault::accounts_at_the_door(&site.world.folder.join("desk"), SystemClock.now());
        let accounts = doors.unwrap_or_default();
        (accounts.iter().filter(|account| account.name == name).count(), accounts.len())
    };
    match named(site) {
        (1, _) => {}
        (0, _) if said.is_ok() => site.broke(Break::Lost, "an account was confirmed and is not there"),
        (0, _) => {
            site.world.must(&format!("operator {name}"));
            if named(site).0 != 1 {
                site.broke(Break::Lost, "an account cannot be made again");
            }
        }
        (count, _) => site.broke(Break::Doubled, &format!("{count} accounts of one name")),
    }
    if let Err(error) = open_all(site, true) {
        site.broke(Break::Lost, &format!("an account does not open: {error}"));
    }
}

/// Another telephone number of the guards.
pub fn to_change_a_fact(site: &mut Site<'_>) -> String {
    site.count += 1;
    format!("fact 000-0001-{:04}", site.count)
}

/// One number or the other, signed.
pub fn fact_changed(site: &mut Site<'_>, said: &Said) {
    site.quiet();
    let new = format!("000-0001-{:04}", site.count);
    let now = |site: &mut Site<'_>| {
        close_desk(site);
        let (folder, passphrase) = (site.world.folder.join("desk"), Passphrase::new(site::PASSPHRASE.into()));
        let vault = Vault::unlock(&folder, Realm::Practice, &passphrase, SystemClock.now());
        vault.and_then(|vault| vault.facts()).map(|facts| facts.get(Fact::GuardPhone).to_owned())
    };
    match now(site) {
        Ok(is) if is == new => {}
        Ok(_) if said.is_ok() => site.broke(Break::Lost, "a fact was confirmed and is not there"),
        Ok(is) if is == site.fact => {
            site.world.must(&format!("fact {new}"));
            if now(site).ok().as_deref() != Some(new.as_str()) {
                site.broke(Break::Lost, "a fact cannot be written again");
            }
        }
        other => site.broke(Break::Unsound, &format!("facts: {other:?}")),
    }
    site.fact = new;
}
