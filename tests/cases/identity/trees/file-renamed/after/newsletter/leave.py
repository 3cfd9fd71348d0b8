import hashlib


class Unsubscribe:
    """Links at the foot of a newsletter."""

    def token(self, address):
        return hashlib.md5(address.encode()).hexdigest()

    def link(self, address):
        return f"/newsletter/leave/{self.token(address)}"
