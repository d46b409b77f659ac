//! What a nightly run logs.

use crate::kills::Program;

#[tokio::test]
async fn a_property_has_its_name_though_only_its_number_is_configured() {
    let program = Program::new(2).await;
    let mut command = program.command("sqlite:ga.db");
    command.args(["--google.property", "313110001"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let line = log.lines().find(|line| line.contains("synchronised")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(r#" property=313110001 property_name="Site 1" days="#), "{line}");
}
