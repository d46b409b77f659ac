//! Private keys in PEM, read as leniently as Google's own libraries read them.
//!
//! Knows RFC 7468 and what editors, terminals and templates do to it: text around the block, indents, other line ends, no line
//! ends at all. Returns the one form that the signer reads. Refuses to know key files, and quotes nothing.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use secrecy::SecretString;
use thiserror::Error as ThisError;

/// What is wrong with a `private_key`, and what to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
pub(super) enum PemError {
    #[error(
        "has a `private_key` whose line breaks are written out as `\\n` (it was escaped twice); replace each `\\\\n` in the \
         file with `\\n`"
    )]
    EscapedTwice,
    #[error("has a `private_key` that is encrypted with a passphrase, which nobody is there to type; {DOWNLOAD}")]
    Encrypted,
    #[error("has an elliptic-curve key as its `private_key`, and Google signs in with RSA keys only; {DOWNLOAD}")]
    EllipticCurve,
    #[error("has a public key or a certificate as its `private_key`, which cannot sign; {DOWNLOAD}")]
    PublicHalf,
    #[error("has an SSH key as its `private_key`, which Google does not know; {DOWNLOAD}")]
    Ssh,
    #[error("has a damaged `private_key` (it has no line with BEGIN PRIVATE KEY); {DOWNLOAD}")]
    NoPem,
    #[error("has a damaged `private_key` (it is cut off: it has no line with END PRIVATE KEY); {DOWNLOAD}")]
    CutOff,
    #[error("has a damaged `private_key` (what stands between BEGIN and END is not base64); {DOWNLOAD}")]
    NotBase64,
}

/// Returns the private key in a text as PKCS#8 in PEM, with nothing around it. Only the kind of the block's content is checked.
///
/// # Errors
/// The text has no key, or an unusable one.
pub(super) fn pkcs8(text: &str) -> Result<SecretString, PemError> {
    let Block { label, content } = private_block(text)?;
    let base64: String = content.chars().filter(|c| !c.is_whitespace()).collect();
    let der = LENIENT.decode(base64).map_err(|_| PemError::NotBase64)?;
    if der.windows(EC_PUBLIC_KEY.len()).any(|window| window == EC_PUBLIC_KEY) {
        return Err(PemError::EllipticCurve);
    }
    let der = if label == "RSA PRIVATE KEY" { wrapped(&der) } else { der };
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der)).into())
}

struct Block<'a> {
    label: &'a str,
    content: &'a str,
}

/// Finds the first block with a private key; certificates may precede it.
fn private_block(text: &str) -> Result<Block<'_>, PemError> {
    let mut rest = text;
    let mut failure = PemError::NoPem;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, after) = begun.split_once("-----").ok_or(PemError::CutOff)?;
        let label = label.trim();
        let end = after.split_once("-----END").map(|(content, _)| content);
        rest = after;
        failure = match label {
            "ENCRYPTED PRIVATE KEY" => return Err(PemError::Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" => return Err(PemError::EllipticCurve),
            "OPENSSH PRIVATE KEY" => return Err(PemError::Ssh),
            "PRIVATE KEY" | "RSA PRIVATE KEY" => {
                if after.trim_start().starts_with("\\n") || after.trim_start().starts_with("\\r") {
                    return Err(PemError::EscapedTwice);
                }
                let content = end.ok_or(PemError::CutOff)?;
                if content.contains("ENCRYPTED") {
                    return Err(PemError::Encrypted);
                }
                return if content.contains('\\') { Err(PemError::EscapedTwice) } else { Ok(Block { label, content }) };
            }
            _ if label.ends_with("PUBLIC KEY") || label.ends_with("CERTIFICATE") => PemError::PublicHalf,
            _ => PemError::NoPem,
        };
    }
    Err(failure)
}

/// RFC 5208 §5: wraps a PKCS#1 key (RFC 8017 §A.1.2) with its algorithm.
fn wrapped(pkcs1: &[u8]) -> Vec<u8> {
    let key = element(OCTET_STRING, pkcs1);
    element(SEQUENCE, &[VERSION_0, RSA_ENCRYPTION, &key].concat())
}

/// A tag, a length and a content in DER (X.690 §8.1).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut bytes = vec![tag];
    match significant.as_slice() {
        [] => bytes.push(0),
        [short] if *short < 0x80 => bytes.push(*short),
        // At most eight bytes, so their number fits.
        long => {
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            bytes.extend(long);
        }
    }
    bytes.extend(content);
    bytes
}

const DOWNLOAD: &str = "download the service account's key again, as JSON";

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const VERSION_0: &[u8] = &[0x02, 0x01, 0x00];

/// AlgorithmIdentifier: 1.2.840.113549.1.1.1 and NULL.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The object identifier of elliptic-curve keys: 1.2.840.10045.2.1.
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Padding may have been lost.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const TEST_KEY: &str = include_str!("../../tests/fixtures/keys/test_key.pem");

    /// The DER of a PEM with one block.
    fn der(pem: &str) -> Vec<u8> {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect();
        BASE64_STANDARD.decode(lines).unwrap()
    }

    fn pkcs1() -> String {
        // The key within the wrapping, which is 26 bytes long for this length.
        let inner = BASE64_STANDARD.encode(&der(TEST_KEY)[26..]);
        format!("-----BEGIN RSA PRIVATE KEY-----\n{inner}\n-----END RSA PRIVATE KEY-----\n")
    }

    #[test]
    fn keys_that_googles_libraries_read_are_read() {
        let right = der(TEST_KEY);
        let lines: Vec<&str> = TEST_KEY.lines().collect();
        for text in [
            TEST_KEY.to_owned(),
            pkcs1(),
            TEST_KEY.replace('\n', "\r\n"),
            TEST_KEY.replace('\n', " "),
            format!("   {}", lines.join("  \n\n\t")),
            format!("Bag Attributes\n  name: x\n{TEST_KEY}\nwords after it\n"),
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{TEST_KEY}"),
            TEST_KEY.trim_end().replace('=', ""),
        ] {
            let read = pkcs8(&text).unwrap();
            assert_eq!(der(read.expose_secret()), right, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_is_quoted() {
        let block = |label: &str, content: &str| format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n");
        let elliptic = BASE64_STANDARD.encode([&[0x30, 0x41, 0x02, 0x01, 0x00], EC_PUBLIC_KEY].concat());
        for (text, expected) in [
            (TEST_KEY.replace('\n', "\\n"), PemError::EscapedTwice),
            (TEST_KEY.replace('\n', "\\r\\n"), PemError::EscapedTwice),
            (block("ENCRYPTED PRIVATE KEY", "SECRET"), PemError::Encrypted),
            (block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nSECRET"), PemError::Encrypted),
            (block("EC PRIVATE KEY", "SECRET"), PemError::EllipticCurve),
            (block("PRIVATE KEY", &elliptic), PemError::EllipticCurve),
            (block("OPENSSH PRIVATE KEY", "SECRET"), PemError::Ssh),
            (block("PUBLIC KEY", "SECRET"), PemError::PublicHalf),
            (block("CERTIFICATE", "SECRET"), PemError::PublicHalf),
            (block("PRIVTE KEY", "SECRET"), PemError::NoPem),
            ("SECRET".to_owned(), PemError::NoPem),
            (TEST_KEY.split_at(TEST_KEY.len() / 2).0.to_owned(), PemError::CutOff),
            (block("PRIVATE KEY", "%SECRET%"), PemError::NotBase64),
        ] {
            let error = pkcs8(&text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("SECRET"));
        }
    }

    #[test]
    fn lengths_are_written_as_der_has_them() {
        for (length, head) in [(0, &[4, 0][..]), (127, &[4, 127]), (128, &[4, 0x81, 128]), (256, &[4, 0x82, 1, 0])] {
            assert!(element(OCTET_STRING, &vec![7; length]).starts_with(head), "{length}");
        }
    }
}
