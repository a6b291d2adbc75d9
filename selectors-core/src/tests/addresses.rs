//! Addresses, to the kernel and back.

use crate::sys::Address;

#[test]
fn an_ip_address_comes_back_as_it_went() {
    for text in [
        "127.0.0.1:1",
        "255.1.2.3:65535",
        "[::1]:80",
        "[fe80::1%3]:9",
    ] {
        let address = text.parse().unwrap();
        assert_eq!(Address::ip(address).to_ip(), Some(address));
        #[cfg(not(winsock))]
        assert!(Address::ip(address).to_unix().is_err());
    }
}
