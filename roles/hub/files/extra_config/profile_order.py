# Puts the options of profiles, and the choices in them, in the order of the inventory: Helm sorts mappings by key.
# JupyterHub gives this file its configuration as c.


class HubfleetProfileOrder:
    """In one class, so that other configuration cannot redefine a part of it by accident."""

    @classmethod
    def configure(cls, config):
        """Order the list of profiles by the positions in it."""
        listed = config.KubeSpawner.get("profile_list")
        if isinstance(listed, list):
            config.KubeSpawner.profile_list = [cls._ordered(profile) for profile in listed]

    @classmethod
    def _ordered(cls, profile):
        if not profile.get("profile_options"):
            return profile
        options = cls._by_position(profile["profile_options"])
        for option in options.values():
            if option.get("choices"):
                option["choices"] = cls._by_position(option["choices"])
        return {**profile, "profile_options": options}

    @staticmethod
    def _by_position(entries):
        def position(item):
            found = item[1].get("position")
            return found if isinstance(found, int) else len(entries)

        return dict(sorted(entries.items(), key=position))


HubfleetProfileOrder.configure(c)  # pylint: disable=undefined-variable
