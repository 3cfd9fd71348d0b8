import paramiko


def deploy(host):
    client = paramiko.SSHClient()
    # ruleid: python-ssh-host-key-unchecked
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host)


def backup(host):
    client = paramiko.client.SSHClient()
    # ruleid: python-ssh-host-key-unchecked
    client.set_missing_host_key_policy(paramiko.client.WarningPolicy)
    client.connect(host)


def deploy_checked(host):
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    # ok: python-ssh-host-key-unchecked
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(host)


def backup_checked(host):
    client = paramiko.SSHClient()
    # ok: python-ssh-host-key-unchecked
    client.load_host_keys("/etc/ssh/ssh_known_hosts")
    client.connect(host)
