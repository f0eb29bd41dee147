"""Decoy secrets sealed to the safes of the sample documents, the same in every run.

HPKE draws its ephemeral key in the library, so these bytes cannot be made again: they were sealed once by
`trust.decoys.seal_decoys`, and a test opens each of them.
"""

DECOY_BYTES = 80

_SEALED = {
    1: """
        235a6725379562c997e0e91380bab03cdd0b533101bc538e74b7f445d0ddf95492e50868d163e7f2
        58d5df04a6e85602fbabf9aac1a813d26ee3692ec104ffd41fcdfa0fbd10e6026c2c15da6faa883b
        53b41272eed81d66e9db47a66f164bdf899a1d4821e589b4d5afb81fa637e242e7b266edccfe5a8b
        32fdccb4fdf73d734cf3dafe3b6b0e22cb46a39024328095c36d8d0faef610348b37360e06efec25
        a23e3561c7db4ac0e5b04c6078fae5577f49f7c9bb46168563cccb411f37a92efe720ac7fdce8834
        dcc5fcbf0a49ae75daea7f9d88e199805957a3fdb0ebacd31f61923da7dc0504b61469c91110c8e3
        c24e4d612f5544264508712b6cddb35044e827f60d7d09891c5a23eb5dbaee57bdea1238a5125679
        ed24396622c4610d62f27e70e9f997e39e8f3a12f1d3960e8e797b45dd8f856da5909a432fe52c82
        60b8dbb07cd942eedfc3dcd93959008323e9382adee19fe19718dd8c210f140b012db6c456227caa
        9107dbf095fe207d7c6618a0f01face1ea2b6a231765a27fae224b35c399e07c4c8e8e932f378c47
    """,
    2: """
        91e8333077a0d0ca69be482493ac2db57a65009a9873e035a0052bce40f42068d06e73d8331ebc88
        851a6e0fe882ea9725b69f5938ddd80970060ba31e89b689a72fbcedbe631b4348991e90d92cc4de
        135b3f0392cdd8a2d784558e99d1a004353eea37030a4d6d453c660b422ee560340981875086c21a
        2c7e41fcbe97a5e360100aa239ae4e77404ff1eb760af562807e8e5d1094a1ad9f0ba2e5953f6e08
        a2b0476f64e40fba20f39b8d8e6adf44d82107ea97e9e79ead9b90501a8f5f337b4c10e72cc4d890
        46389941301986819c962c84bc8b5808941e89d276374cbef22a106d593f1de7bc877bf9f4bb7b00
        a6ad974d6b9984b94d750741370b38c0eba450e7cb03f1400c4e2d5e67b0eb119a63ea1dafc80f25
        2686665aba3719aa913da9dddf7645605571afd96d1b7213ef807b3977be8545b549bfdc6eb4c90c
        5d88b16688c853af6a254d5a8b442c45a384811b45fb761b771eebd250194908a14470f5a33b0b01
        0f891bea85560bacacd5eee93781f9688b313fb7ad6380037d0b4d9cdc70f472d19ed11ed617b9e6
    """,
}


def sealed_decoys(version: int) -> tuple[bytes, ...]:
    """`Roster.decoys` of sample version 1 or 2: for safes 1 to 5."""
    content = bytes.fromhex(_SEALED[version])
    return tuple(content[at : at + DECOY_BYTES] for at in range(0, len(content), DECOY_BYTES))
