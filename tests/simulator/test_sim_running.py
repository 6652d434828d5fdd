"""Starting, stopping, and the file a corp is kept in."""

import json
import os
import signal
import subprocess
import sys

import pytest
import requests

from bot import simulator

CORP, SECRET = "ww0123456789abcdef", "app-secret"


def act(running, path, **fields):
    answer = requests.post(f"{running.url}/sim/{path}", json=fields, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def token(running):
    secret = {"corpid": CORP, "corpsecret": SECRET}
    return requests.get(f"{running.url}/cgi-bin/gettoken", params=secret, timeout=5).json()["access_token"]


def call(running, path, body=None, **query):
    url, params = f"{running.url}/cgi-bin/{path}", query | {"access_token": token(running)}
    return requests.request("POST" if body is not None else "GET", url, params=params, json=body, timeout=5).json()


def upload(running, content):
    url, query = f"{running.url}/cgi-bin/media/upload", {"access_token": token(running), "type": "file"}
    return requests.post(url, params=query, files={"media": ("a", content)}, timeout=5).json()["media_id"]


def test_a_corp_comes_back_from_its_file(tmp_path):
    file, content = tmp_path / "corp.json", bytes(range(256))
    with simulator.start(CORP, SECRET, data=file) as first:
        her = act(first, "contacts", userid="lily", name="安娜", state="s", unionid="oz1")["external_userid"]
        tags = act(first, "tag-groups", name="兴趣", tags=["咖啡"])
        act(first, f"contacts/{her}/tags", userid="lily", add=[tags["tags"][0]["id"]])
        act(first, "kf/messages", open_kfid="wk1", external_userid=her, text="hi")
        answer = {"touser": her, "open_kfid": "wk1", "msgid": "m1", "msgtype": "text", "text": {"content": "ok"}}
        call(first, "kf/send_msg", answer)
        chat = act(first, "group-chats", name="一群", owner="lily")["chat_id"]
        way = call(first, "externalcontact/groupchat/add_join_way", {"scene": 2, "chat_id_list": [chat]})
        mass = call(first, "externalcontact/add_msg_template", {"sender": "lily", "text": {"content": "x"}})
        media, before = upload(first, content), call(first, "externalcontact/get", external_userid=her)
    assert json.loads(file.read_text())["corp_id"] == CORP
    with simulator.start(CORP, SECRET, data=file) as second:
        assert call(second, "externalcontact/get", external_userid=her) == before
        assert call(second, "kf/sync_msg", {"open_kfid": "wk1"})["msg_list"][0]["text"]["content"] == "hi"
        assert call(second, "kf/send_msg", answer)["errcode"] == 95032
        assert act(second, "scan", qr_code=way["config_id"])["chat_id"] == chat
        assert act(second, f"groupmsg/{mass['msgid']}/confirm", userid="lily")["results"] == {her: 1}
        assert requests.get(f"{second.url}/sim/media/{media}", timeout=5).content == content
        inbox = requests.get(f"{second.url}/sim/inbox", params={"external_userid": her}, timeout=5)
        assert [one["via"] for one in inbox.json()["data"]] == ["kf", "mass"]


def test_a_file_of_another_corp_or_of_something_else_is_refused(tmp_path):
    file = tmp_path / "corp.json"
    simulator.start(CORP, SECRET, data=file).stop()
    for corp, secret in (("ww_other", SECRET), (CORP, "other")):
        with pytest.raises(ValueError, match="another"):
            simulator.start(corp, secret, data=file)
    file.write_text('{"corp_id": 5}')
    with pytest.raises(ValueError, match="corp_id"):
        simulator.start(CORP, SECRET, data=file)


def test_a_taken_port_is_an_error_and_a_stopped_simulator_frees_its_own():
    running = simulator.start(CORP, SECRET)
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        simulator.start(CORP, SECRET, port=port)
    with requests.Session() as session:
        session.get(f"{running.url}/sim/staff", timeout=5)
        running.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{running.url}/sim/staff", timeout=5)
    simulator.start(CORP, SECRET, port=port).stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_as_a_command_it_ends_at_a_signal_and_keeps_its_corp(tmp_path, number):
    file = tmp_path / "corp.json"
    program = (
        "import sys; from pathlib import Path; from bot import simulator;"
        f"simulator.serve(lambda url: print(url, flush=True), corp_id={CORP!r}, secret={SECRET!r},"
        " data=Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True)
    with process:
        url = process.stdout.readline().strip()
        requests.post(f"{url}/sim/staff", json={"userid": "lily"}, timeout=5)
        os.kill(process.pid, number)
        assert process.wait(timeout=10) == 0
    assert list(json.loads(file.read_text())["members"]) == ["lily"]
