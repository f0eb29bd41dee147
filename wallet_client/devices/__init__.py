"""Devices that owners are known by: in a file, on a PKCS#11 token, a FIDO2 key at the USB port."""
