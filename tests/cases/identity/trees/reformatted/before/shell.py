import os, subprocess
def archive(name, folder, level=6):
    result = subprocess.run('tar -czf ' + name + ' --level ' + str(level) + ' ' + folder, shell=True, check=True, capture_output=True)
    return os.popen('sha256sum ' + name).read() + str(result.returncode) + str(len(result.stdout)) + str(len(result.stderr))
