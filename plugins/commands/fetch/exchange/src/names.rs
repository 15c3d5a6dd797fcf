//! The names of `wasi:http`'s error codes, as its WIT file spells them.

use wasip2::http::types::{ErrorCode, FieldSizePayload, HeaderError};

/// The name of a code, `HTTP-request-denied` for instance, and what it carries, if anything.
pub fn code_name(code: &ErrorCode) -> (&'static str, Option<String>) {
    let bare = |name| (name, None);
    let bytes = |name, size: Option<u64>| (name, size.map(|size| format!("{size} bytes")));
    let section = |name, size: &Option<u32>| bytes(name, size.map(u64::from));
    match code {
        ErrorCode::DnsTimeout => bare("DNS-timeout"),
        ErrorCode::DnsError(payload) => {
            let code = payload.info_code.map(|code| format!("info code {code}"));
            ("DNS-error", joined([payload.rcode.clone(), code]))
        }
        ErrorCode::DestinationNotFound => bare("destination-not-found"),
        ErrorCode::DestinationUnavailable => bare("destination-unavailable"),
        ErrorCode::DestinationIpProhibited => bare("destination-IP-prohibited"),
        ErrorCode::DestinationIpUnroutable => bare("destination-IP-unroutable"),
        ErrorCode::ConnectionRefused => bare("connection-refused"),
        ErrorCode::ConnectionTerminated => bare("connection-terminated"),
        ErrorCode::ConnectionTimeout => bare("connection-timeout"),
        ErrorCode::ConnectionReadTimeout => bare("connection-read-timeout"),
        ErrorCode::ConnectionWriteTimeout => bare("connection-write-timeout"),
        ErrorCode::ConnectionLimitReached => bare("connection-limit-reached"),
        ErrorCode::TlsProtocolError => bare("TLS-protocol-error"),
        ErrorCode::TlsCertificateError => bare("TLS-certificate-error"),
        ErrorCode::TlsAlertReceived(payload) => {
            let alert = payload.alert_id.map(|id| format!("alert {id}"));
            let parts = [payload.alert_message.clone(), alert];
            ("TLS-alert-received", joined(parts))
        }
        ErrorCode::HttpRequestDenied => bare("HTTP-request-denied"),
        ErrorCode::HttpRequestLengthRequired => bare("HTTP-request-length-required"),
        ErrorCode::HttpRequestBodySize(size) => bytes("HTTP-request-body-size", *size),
        ErrorCode::HttpRequestMethodInvalid => bare("HTTP-request-method-invalid"),
        ErrorCode::HttpRequestUriInvalid => bare("HTTP-request-URI-invalid"),
        ErrorCode::HttpRequestUriTooLong => bare("HTTP-request-URI-too-long"),
        ErrorCode::HttpRequestHeaderSectionSize(size) => {
            section("HTTP-request-header-section-size", size)
        }
        ErrorCode::HttpRequestHeaderSize(payload) => {
            ("HTTP-request-header-size", payload.as_ref().and_then(field))
        }
        ErrorCode::HttpRequestTrailerSectionSize(size) => {
            section("HTTP-request-trailer-section-size", size)
        }
        ErrorCode::HttpRequestTrailerSize(payload) => ("HTTP-request-trailer-size", field(payload)),
        ErrorCode::HttpResponseIncomplete => bare("HTTP-response-incomplete"),
        ErrorCode::HttpResponseHeaderSectionSize(size) => {
            section("HTTP-response-header-section-size", size)
        }
        ErrorCode::HttpResponseHeaderSize(payload) => ("HTTP-response-header-size", field(payload)),
        ErrorCode::HttpResponseBodySize(size) => bytes("HTTP-response-body-size", *size),
        ErrorCode::HttpResponseTrailerSectionSize(size) => {
            section("HTTP-response-trailer-section-size", size)
        }
        ErrorCode::HttpResponseTrailerSize(payload) => {
            ("HTTP-response-trailer-size", field(payload))
        }
        ErrorCode::HttpResponseTransferCoding(coding) => {
            ("HTTP-response-transfer-coding", coding.clone())
        }
        ErrorCode::HttpResponseContentCoding(coding) => {
            ("HTTP-response-content-coding", coding.clone())
        }
        ErrorCode::HttpResponseTimeout => bare("HTTP-response-timeout"),
        ErrorCode::HttpUpgradeFailed => bare("HTTP-upgrade-failed"),
        ErrorCode::HttpProtocolError => bare("HTTP-protocol-error"),
        ErrorCode::LoopDetected => bare("loop-detected"),
        ErrorCode::ConfigurationError => bare("configuration-error"),
        ErrorCode::InternalError(text) => ("internal-error", text.clone()),
    }
}

/// The name of what is wrong with a header field.
pub(crate) fn header_error_name(error: &HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "invalid-syntax",
        HeaderError::Forbidden => "forbidden",
        HeaderError::Immutable => "immutable",
    }
}

fn field(payload: &FieldSizePayload) -> Option<String> {
    let size = payload.field_size.map(|size| format!("{size} bytes"));
    joined([payload.field_name.clone(), size])
}

fn joined(parts: [Option<String>; 2]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasip2::http::types::DnsErrorPayload;

    #[test]
    fn codes_have_the_names_of_the_interface_and_say_what_they_carry() {
        assert_eq!(
            code_name(&ErrorCode::HttpRequestDenied),
            ("HTTP-request-denied", None)
        );
        assert_eq!(
            code_name(&ErrorCode::HttpRequestBodySize(Some(3))),
            ("HTTP-request-body-size", Some("3 bytes".to_owned()))
        );
        let dns = ErrorCode::DnsError(DnsErrorPayload {
            rcode: Some("NXDOMAIN".to_owned()),
            info_code: Some(7),
        });
        assert_eq!(
            code_name(&dns),
            ("DNS-error", Some("NXDOMAIN, info code 7".to_owned()))
        );
        let large = ErrorCode::HttpResponseHeaderSize(FieldSizePayload {
            field_name: None,
            field_size: None,
        });
        assert_eq!(code_name(&large), ("HTTP-response-header-size", None));
    }
}
