# Adds what the playbook users needs beyond JupyterHub's API: sign a user out, reset a password, remove a user but not
# the home. Only the service hubfleet-users may use it. JupyterHub gives this file its configuration as c.


def _hubfleet_users(config):
    import sys

    sys.path.insert(0, "/usr/local/share/jupyterhub/hubfleet/code")
    from hubfleet_runtime import users_api

    config.JupyterHub.extra_handlers.extend(users_api.handlers("hubfleet-users"))


_hubfleet_users(c)  # pylint: disable=undefined-variable
