# Lets nobody get a user name, or the rights of a name, by being the first to sign up for it with NativeAuthenticator.
# First passwords of people that the hub's configuration names are written to a file until they are changed.
# JupyterHub gives this file its configuration as c.


def _hubfleet_native_login(config):
    import sys
    from pathlib import Path

    sys.path.insert(0, "/usr/local/share/jupyterhub/hubfleet/code")
    from hubfleet_runtime import native_login

    native_login.configure(config, Path("/srv/jupyterhub/first-passwords"))


_hubfleet_native_login(c)  # pylint: disable=undefined-variable
