use ga4_exporter_core::shown::masked;

use super::*;

/// A key that exists for these tests only.
const TEST_KEY: &str = include_str!("../../../tests/fixtures/keys/test_key.pem");

fn key(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "kid-1", "private_key": TEST_KEY,
        "client_email": "exporter@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
    });
    change(&mut value);
    value.to_string().into_bytes()
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let problem = KeyFile::from_bytes(bytes).unwrap_err();
    let error = KeyFileError { path: "/etc/key.json".into(), problem };
    let message = error.to_string();
    assert!(message.starts_with("credentials file /etc/key.json: "), "{message}");
    assert!(message.contains(expected), "{message}");
    assert!(!message.contains("SECRET") && !message.contains('\n'), "{message}");
    assert_eq!(masked(&message), message, "nothing of it is taken for a secret");
}

#[test]
fn a_service_accounts_key_is_read() {
    let KeyFile::ServiceAccount(account) = KeyFile::from_bytes(&key(|_| ())).unwrap() else { panic!() };
    assert_eq!(account.email, "exporter@p.iam.gserviceaccount.com");
    assert_eq!(account.key_id.as_deref(), Some("kid-1"));
}

#[test]
fn gclouds_file_is_read() {
    let text = br#"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
        "quota_project_id": "q"}"#;
    let KeyFile::AuthorizedUser(user) = KeyFile::from_bytes(text).unwrap() else { panic!() };
    assert_eq!(user.token_uri.as_str(), GOOGLE_TOKEN_URI);
    assert_eq!(user.quota_project.as_deref(), Some("q"));
}

#[test]
fn every_wrong_file_is_told_what_it_is() {
    refused(b"", "is empty");
    refused(b" \n", "is empty");
    refused(&[0x30, 0x82, 0x0a, 0xff], "P12");
    refused(b"-----BEGIN PRIVATE KEY-----\nSECRET", "bare private key");
    refused(b"Bag Attributes\n-----BEGIN RSA PRIVATE KEY-----\nSECRET", "bare private key");
    refused(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET", "with a passphrase");
    refused(b"-----BEGIN CERTIFICATE-----\nSECRET", "certificate or a public key");
    refused(b"<!DOCTYPE html>\n<title>Sign in</title>SECRET", "is a web page");
    refused(b"AIzaSyD-SECRETe72PouQMnMX-a7eZSW0jkFMBWY\n", "is an API key or a token");
    refused(b"ya29.SECRET", "is an API key or a token");
    refused(br#""{\"type\": \"service_account\", \"private_key\": \"SECRET\"}""#, "JSON within a JSON text");
    refused(b"{\"private_key\": \"SECRET", "not valid JSON (line 1");
    refused(b"[\"SECRET\"]", "not a JSON object");
    refused(br#"{"installed": {"client_secret": "SECRET"}}"#, "OAuth client");
    refused(br#"{"web": {"client_secret": "SECRET"}}"#, "OAuth client");
    refused(br#"{"type": "external_account"}"#, "the type `external_account` (workload");
    refused(br#"{"type": "external_account_authorized_user"}"#, "`external_account_authorized_user` (work");
    refused(br#"{"type": "impersonated_service_account"}"#, "use a JSON key of the service account itself");
    refused(br#"{"type": "gdch_service_account"}"#, "Google Distributed Cloud");
    refused(br#"{"type": "SECRET"}"#, "type that is not supported");
    refused(b"{}", "has no `type`");
    refused(br#"{"type": "authorized_user", "client_id": "SECRET"}"#, "lacks `client_secret`; run `gcloud");
}

#[test]
fn every_damaged_key_is_told_what_is_missing() {
    for field in ["client_email", "private_key", "token_uri"] {
        refused(&key(|value| value[field] = Value::Null), &format!("lacks `{field}`"));
        refused(&key(|value| value[field] = json!(" ")), &format!("lacks `{field}`"));
    }
    for uri in ["token SECRET", "ftp://SECRET/", "/token"] {
        refused(&key(|value| value["token_uri"] = json!(uri)), "`token_uri` that is no http or https URL");
    }
    let (half, _) = TEST_KEY.split_at(TEST_KEY.len() / 2);
    for (damaged, expected) in [
        (half, "has a damaged `private_key` (it is cut off"),
        ("SECRET", "has a damaged `private_key` (it has no line"),
        ("-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n", "has a damaged `private_key`"),
        (&TEST_KEY.replace('\n', "\\n"), "replace each `\\\\n` in the file with `\\n`"),
    ] {
        refused(&key(|value| value["private_key"] = json!(damaged)), expected);
    }
}

#[test]
fn files_in_another_encoding_are_named() {
    let file = String::from_utf8(key(|_| ())).unwrap();
    for swapped in [false, true] {
        let unit = |unit: u16| if swapped { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let utf_16: Vec<u8> = file.encode_utf16().flat_map(unit).collect();
        refused(&utf_16, "saved as UTF-16");
        let marked: Vec<u8> = std::iter::once(0xfeff).chain(file.encode_utf16()).flat_map(unit).collect();
        refused(&marked, "saved as UTF-16");
    }
    let base64 = BASE64_STANDARD.encode(&file);
    let wrapped: Vec<String> = base64.as_bytes().chunks(76).map(|c| String::from_utf8_lossy(c).into()).collect();
    refused(wrapped.join("\n").as_bytes(), "is encoded in base64");
    refused(base64.as_bytes(), "is encoded in base64");
    refused(BASE64_STANDARD.encode(TEST_KEY).as_bytes(), "is encoded in base64");
    assert!(KeyFile::from_bytes(format!("\u{feff}{file}\r\n").as_bytes()).is_ok());
}

#[test]
fn an_older_form_of_the_same_key_signs_the_same() {
    let lines: String = TEST_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    // The wrapping of PKCS#8 is 26 bytes long for this key.
    let inner = BASE64_STANDARD.encode(&BASE64_STANDARD.decode(lines).unwrap()[26..]);
    let older = format!("-----BEGIN RSA PRIVATE KEY-----\n  {inner}\n-----END RSA PRIVATE KEY-----");
    let signatures = [TEST_KEY, &older].map(|pem| {
        let file = key(|value| value["private_key"] = json!(pem));
        let KeyFile::ServiceAccount(account) = KeyFile::from_bytes(&file).unwrap() else { panic!() };
        account.signer.signer().sign(b"x").unwrap()
    });
    assert_eq!(signatures[0], signatures[1]);
}

#[test]
fn only_what_is_needed_is_required() {
    let minimal =
        json!({"client_email": "e", "private_key": TEST_KEY, "token_uri": "https://oauth2.googleapis.com/token"});
    let KeyFile::ServiceAccount(account) = KeyFile::from_bytes(minimal.to_string().as_bytes()).unwrap() else {
        panic!()
    };
    assert_eq!((account.email.as_str(), account.key_id, account.quota_project), ("e", None, None));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for (path, expected) in
        [(directory.path().to_owned(), "is a directory"), (directory.path().join("missing.json"), "cannot be read")]
    {
        let message = KeyFile::read(&path).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(&ShownPath(&path).to_string()), "{message}");
    }
    let database = directory.path().join("credentials.db");
    std::fs::write(&database, [SQLITE, &[0; 70_000]].concat()).unwrap();
    assert!(KeyFile::read(&database).unwrap_err().to_string().contains("database of gcloud's"));
    let large = directory.path().join("large.json");
    std::fs::write(&large, vec![b' '; 70_000]).unwrap();
    assert!(KeyFile::read(&large).unwrap_err().to_string().contains("larger than"));
}

#[test]
fn a_key_in_place_of_a_path_is_not_printed() {
    let content = String::from_utf8(key(|_| ())).unwrap();
    for path in [content.as_str(), TEST_KEY, &BASE64_STANDARD.encode(&content)] {
        let message = KeyFile::read(Path::new(path)).unwrap_err().to_string();
        assert!(message.starts_with("credentials file (hidden): cannot be read: this looks like"), "{message}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let account = KeyFile::from_bytes(&key(|_| ())).unwrap();
    assert!(!format!("{account:?}").contains("PRIVATE"), "{account:?}");
    let text =
        br#"{"type": "authorized_user", "client_id": "i", "client_secret": "SECRET", "refresh_token": "SECRET"}"#;
    assert!(!format!("{:?}", KeyFile::from_bytes(text).unwrap()).contains("SECRET"));
}
