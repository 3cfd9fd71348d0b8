"""Who signed what: SSHSIG for people, DSSE for machines, behind the `Signer` port."""
