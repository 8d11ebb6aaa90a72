# SPDX-License-Identifier: GPL-3.0-or-later
"""What the target sees of this monitor, on the kernel's receiver."""
import re
import subprocess

import lib
import vivid
from test_video import agent_for, bars, watch

MODES = "1280x720@60, 1920x1080@60, 800x600, 640x480"


def edid(device):
    """edid-decode's words about what the device has now."""
    raw = lib.OUT / "edid"
    lib.run("v4l2-ctl", "-d", device.path, f"--get-edid=pad=0,format=raw,file={raw}")
    return subprocess.run(["edid-decode", "--check", raw], capture_output=True, text=True).stdout


def preferred(device):
    return re.search(r"DTD 1: +(\d+x\d+)", edid(device))[1]


def watch_with_modes(agent):
    """A controller that came after the device was looked at, which takes a while here."""
    lib.eventually(lambda: "v4l2: device" in agent.log(), "the device has been open")
    def known():
        peer = watch(agent)
        if len(peer.peer_info.resolutions.resolutions) > 1:
            return peer
        peer.close()
        return None
    return lib.eventually(known, "its modes are known")


def test_edid_is_there_before_anybody_watches(sources, tmp_path):
    device = sources[0]
    lib.run("v4l2-ctl", "-d", device.path, "--clear-edid=pad=0")
    with agent_for(device, tmp_path, edid_modes=MODES, edid_name="rack 3") as agent:
        lib.eventually(lambda: "EDID set" in agent.log(), "the EDID is set")
        said = edid(device)
        assert "EDID conformity: PASS" in said and "'rack 3'" in said, said
        assert preferred(device) == "1280x720"
    # The next start finds it as it is: the target is not disturbed.
    with agent_for(device, tmp_path, edid_modes=MODES, edid_name="rack 3") as agent:
        with watch(agent) as peer:
            peer.frame(lib.PATIENCE_S)
        assert agent.log().count("EDID set") == 1  # of the first run: one log for both


def test_size_chosen_in_the_menu_is_asked_of_the_target(sources, tmp_path):
    device = sources[0]
    device.plug("640x480p59")
    with agent_for(device, tmp_path, edid_modes=MODES) as agent, watch_with_modes(agent) as peer:
        sizes = [(r.width, r.height) for r in peer.peer_info.resolutions.resolutions]
        assert sizes[0] in ((640, 480), (1280, 720))
        assert set(sizes) == {(640, 480), (1280, 720), (1920, 1080), (800, 600)}
        lib.picture_where(peer, bars, "bars")
        peer.change_resolution(800, 600, display=0)
        lib.eventually(lambda: preferred(device) == "800x600", "the EDID prefers 800x600")
        assert "EDID conformity: PASS" in edid(device)
        # The target follows.
        before = len(peer.log)
        device.plug("800x600p60")
        peer.wait_for(lambda r: r.kind == "misc.switch_display" and r.msg.width == 800, lib.PATIENCE_S, since=before)
        lib.picture_where(peer, bars, "bars")
        device.plug("640x480p59")


def test_edid_of_the_device_is_left_alone(sources, tmp_path):
    device = sources[0]
    before = edid(device)
    with agent_for(device, tmp_path, edid="") as agent, watch_with_modes(agent) as peer:
        peer.frame(lib.PATIENCE_S)
    assert edid(device) == before
