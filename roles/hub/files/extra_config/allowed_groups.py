# Shows profiles, and choices in them, that have allowed_groups to members of these groups only.
# Groups are those that JupyterHub knows of a user, and with GitHub also organization:team; their
# case does not matter. A choice that is hidden cannot be started through the API either, since
# KubeSpawner looks choices up in this list. JupyterHub gives this file its configuration as c.


def _hubfleet_allowed_groups(listed):
    import copy

    async def groups_of(spawner):
        names = {group.name.casefold() for group in spawner.user.groups}
        state = await spawner.user.get_auth_state() or {}
        for team in state.get("teams") or ():
            try:
                names.add(f"{team['organization']['login']}:{team['slug']}".casefold())
            except (KeyError, TypeError):
                continue
        return names

    def allowed(entry, names):
        wanted = entry.get("allowed_groups")
        return wanted is None or any(str(group).casefold() in names for group in wanted)

    def without_hidden(profile, names):
        profile = copy.deepcopy(profile)
        options = profile.get("profile_options") or {}
        for option in options.values():
            if "choices" in option:
                option["choices"] = {
                    name: choice for name, choice in option["choices"].items() if allowed(choice, names)
                }
            unlisted = option.get("unlisted_choice")
            if unlisted and not allowed(unlisted, names):
                unlisted = option.pop("unlisted_choice")
            if not option.get("choices") and not (option.get("unlisted_choice") or {}).get("enabled"):
                # Nothing to choose is left: then nothing of the profile can be started as it is meant.
                return None
        return profile

    async def profile_list(spawner):
        from tornado import web

        profiles = listed(spawner) if callable(listed) else listed
        if hasattr(profiles, "__await__"):
            profiles = await profiles
        names = await groups_of(spawner)
        seen = [without_hidden(profile, names) for profile in profiles if allowed(profile, names)]
        seen = [profile for profile in seen if profile is not None]
        if profiles and not seen:
            # An empty list would start the hub's plain image, which nobody offered.
            raise web.HTTPError(403, "None of your groups may start a server on this hub.")
        return seen

    return profile_list


_hubfleet_spawner = c.KubeSpawner  # pylint: disable=undefined-variable
# Not by its attribute: of a setting that nobody made, that is something, and true.
if _hubfleet_spawner.get("profile_list"):
    _hubfleet_spawner.profile_list = _hubfleet_allowed_groups(_hubfleet_spawner.profile_list)
