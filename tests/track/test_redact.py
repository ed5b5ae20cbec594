import pytest

from thaw.track.redact import REDACTED, is_secret, redact


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "WANDB_API_KEY",
        "hf_token",
        "token",
        "accessToken",
        "AWS_SECRET_ACCESS_KEY",
        "password",
        "db.password",
        "client-secret",
        "apikey",
        "auth_tokens",
        "private_key",
        "hub.key",
        "LABEL_STUDIO_API_KEY",
        "TEXT_ANALYTICS_KEY",
        "ID_TOKEN",
        "FIRST_API_KEY",
        "COLUMN_API_KEY",
        "text_api_key",
        "API_KEYS",
        "access_tokens",
        "AWS_ACCESS_KEY_ID",
        "DB_PASS",
        "smtp_pass",
        "SSHPASS",
        "MYSQL_PWD",
        "NGROK_AUTHTOKEN",
        "ACCESSKEY",
        "sig",
        "authorization",
    ],
)
def test_secret_names(name: str) -> None:
    assert is_secret(name)
    assert redact({"a": [{name: "canary"}]}) == {"a": [{name: REDACTED}]}


@pytest.mark.parametrize(
    "name",
    [
        "num_tokens",
        "cls_token",
        "tokenizer",
        "text_key",
        "mask_token_id",
        "max_tokens",
        "label_key",
        "token_accuracy",
        "keyboard",
        "monkey",
        "author",
        "pad_token",
        "tokens",
        "sort_key",
        "first_token",
        "text_a_key",
        "path",
        "PWD",
        "OLDPWD",
        "SSH_ASKPASS",
        "pass",
        "passes",
        "forward_pass",
        "special_tokens",
        "text_tokens",
        "keys",
        "sort_keys",
        "sig_level",
        "accessed",
    ],
)
def test_ordinary_names(name: str) -> None:
    assert not is_secret(name)
    assert redact({name: "word"}) == {name: "word"}


def test_numbers_say_nothing() -> None:
    values = {"token": 5, "password": None, "key": True, "secret": [1.5]}
    assert redact(values) == values


@pytest.mark.parametrize(
    "text",
    [
        "https://me:canary@host/data.jsonl",
        "git+ssh://canary@host/x",
        "hub.token=canary",
        "see https://h/x?api_key=canary",
        "--api-key canary",
        "--password=canary",
        "--password 'two canary' here",
        "https://h/x?sv=1&sig=canary%2F12",
        "password: 'two, canary'",
        "'api_key': \"it's, canary\"",
        "passwords: {'a': 'b', 'c': 'canary'}, password=[a, canary]",
        "password=[a]canary, password='a'canary",
        "password='a, canary",
        "Authorization: Token canary",
        "Authorization: Bearer canary",
        "hf_canarycanarycanarycanary",
    ],
)
def test_secrets_inside_a_text(text: str) -> None:
    assert "canary" not in redact([text])[0]


@pytest.mark.parametrize(
    "text",
    [
        "budget=50M tokens",
        "corpus.text_key=body",
        "https://host/path@2",
        "tokens=5",
        "a - b",
        "tokenizer=unigram",
        "pass=3",
    ],
)
def test_ordinary_texts(text: str) -> None:
    assert redact(text) == text


def test_only_the_value_is_hidden() -> None:
    assert redact("{'hf_token': 'a, b', 'n': 1}") == f"{{'hf_token': {REDACTED}, 'n': 1}}"
    assert redact("(password=[a, b]) key=c; d") == f"(password={REDACTED}) key={REDACTED}; d"
    assert redact(r"password='it\'s a, b', c") == f"password={REDACTED}, c"


def test_the_value_of_a_secret_variable_is_hidden_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "canary-123456")
    monkeypatch.setenv("SHORT_KEY", "runs")
    monkeypatch.setenv("SIGNING_KEY", "first canary\nsecond canary")
    assert redact("  second canary") == f"  {REDACTED}"
    assert redact("runs/canary-123456/x") == f"runs/{REDACTED}/x"
