"""The published forms of providers' keys: how each begins, and what follows."""

from __future__ import annotations

import re
from typing import NamedTuple


class Form(NamedTuple):
    """One provider's keys."""

    name: str
    pattern: re.Pattern[bytes]
    starts: tuple[bytes, ...]
    """One of these is in every key, nearly always at its start."""
    inner: bool = False
    """Whether the start stands within the key or far from a quote."""


def _form(name: str, starts: str, pattern: bytes, *, inner: bool = False) -> Form:
    # Letters before the border that they must follow are found far quicker.
    quick = re.sub(rb"\A\\b(\w\w+)(?=[\w(\[\\-])", rb"\1(?<=\\b\1)", pattern)
    return Form(name, re.compile(quick), tuple(start.encode() for start in starts.split()), inner)


# ruff: noqa: E501 (a row is read as one)

FORMS = (
    _form("AWS access key", "AKIA ASIA ABIA ACCA", rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _form("AWS secret key", "aws_secret_access_key", rb"aws_secret_access_key\W{1,6}[A-Za-z0-9/+]{40}(?![\w/+=])",
          inner=True),
    _form("AWS secret key", "AWS_SECRET_ACCESS_KEY", rb"AWS_SECRET_ACCESS_KEY\W{1,6}[A-Za-z0-9/+]{40}(?![\w/+=])",
          inner=True),
    _form("Amazon Bedrock key", "ABSK", rb"\bABSK[A-Za-z0-9+/]{109,269}={0,2}"),
    _form("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", rb"\bgh[pousr]_[A-Za-z0-9]{36,251}\b"),
    _form("GitHub token", "github_pat_", rb"\bgithub_pat_[A-Za-z0-9_]{60,255}\b"),
    _form("GitLab token", "glpat- gldt- glft- glptt- glrt- glsoat- glcbt- glagent- gloas- glimt- glffct-",
          rb"\bgl(?:pat|dt|ft|ptt|rt|soat|cbt|agent|oas|imt|ffct)-[\w.-]{20,90}"),
    _form("GitLab runner token", "GR1348941", rb"\bGR1348941[\w-]{20}\b"),
    _form("Slack token", "xoxb- xoxp- xoxa- xoxo- xoxr- xoxs- xoxe- xoxe. xapp- xwfp-",
          rb"\b(?:xox[abeoprs](?:-\d-|[-.])|xapp-\d-|xwfp-)[A-Za-z0-9.-]{12,250}\b"),
    _form("Slack webhook", "hooks.slack.com", rb"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w+/]{40,80}",
          inner=True),
    _form("Discord webhook", "api/webhooks/", rb"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,72}",
          inner=True),
    _form("Teams webhook", "webhook.office.com", rb"https://[\w-]+\.webhook\.office\.com/webhookb2/[\w@-]{36,}/[\w/-]{60,}",
          inner=True),
    _form("Stripe key", "sk_live_ rk_live_ sk_prod_ rk_prod_", rb"\b[rs]k_(?:live|prod)_[A-Za-z0-9]{10,247}\b"),
    _form("Stripe test key", "sk_test_ rk_test_", rb"\b[rs]k_test_[A-Za-z0-9]{20,247}\b"),
    _form("Stripe webhook secret", "whsec_", rb"\bwhsec_[A-Za-z0-9+/=]{32,}"),
    _form("Google API key", "AIza", rb"\bAIza[\w-]{35}(?![\w-])"),
    _form("Google OAuth secret", "GOCSPX-", rb"\bGOCSPX-[\w-]{28}(?![\w-])"),
    _form("Google OAuth token", "ya29.", rb"\bya29\.[\w-]{60,}"),
    _form("Anthropic key", "sk-ant-", rb"\bsk-ant-(?:api|admin|oat)\d\d-[\w-]{80,120}"),
    _form("OpenAI key", "sk-proj- sk-svcacct- sk-admin-", rb"\bsk-(?:proj|svcacct|admin)-[\w-]{40,200}"),
    _form("OpenAI key", "T3BlbkFJ", rb"\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b", inner=True),
    _form("OpenRouter key", "sk-or-v1-", rb"\bsk-or-v1-[0-9a-f]{64}\b"),
    _form("Perplexity key", "pplx-", rb"\bpplx-[A-Za-z0-9]{48}\b"),
    _form("Groq key", "gsk_", rb"\bgsk_[A-Za-z0-9]{52}\b"),
    _form("xAI key", "xai-", rb"\bxai-[A-Za-z0-9]{80}\b"),
    _form("Replicate token", "r8_", rb"\br8_[A-Za-z0-9]{37}\b"),
    _form("Hugging Face token", "hf_", rb"\bhf_[A-Za-z]{34}\b"),
    _form("Hugging Face token", "api_org_", rb"\bapi_org_[A-Za-z]{34}\b"),
    _form("npm token", "npm_", rb"\bnpm_[A-Za-z0-9]{36}\b"),
    _form("PyPI token", "pypi-AgE", rb"\bpypi-AgE[\w-]{50,}"),
    _form("RubyGems key", "rubygems_", rb"\brubygems_[0-9a-f]{48}\b"),
    _form("Clojars token", "CLOJARS_", rb"\bCLOJARS_[A-Za-z0-9]{60}\b"),
    _form("Cargo registry token", "cio", rb"\bcio[A-Za-z0-9]{32}\b"),
    _form("SendGrid key", "SG.", rb"\bSG\.[\w-]{20,24}\.[\w-]{39,50}(?![\w-])"),
    _form("Brevo key", "xkeysib-", rb"\bxkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}\b"),
    _form("Twilio key", " ".join(f"SK{digit:x}" for digit in range(16)), rb"\bSK[0-9a-fA-F]{32}\b"),
    _form("Mailgun key", "key-", rb"\bkey-[0-9a-f]{32}\b"),
    _form("Mailchimp key", " ".join(f"-us{digit}" for digit in range(1, 10)), rb"\b[0-9a-f]{32}-us\d{1,2}\b", inner=True),
    _form("Telegram bot token", " ".join(f"{digit}:AA" for digit in range(10)), rb"\b\d{8,10}:AA[\w-]{32,33}(?![\w-])", inner=True),
    _form("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", rb"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    _form("Heroku key", "HRKU-", rb"\bHRKU-[\w-]{36,70}(?![\w-])"),
    _form("Shopify token", "shpat_ shpca_ shppa_ shpss_", rb"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    _form("Square token", "EAAA sq0", rb"\b(?:EAAA[\w-]{60}|sq0(?:atp|csp)-[\w-]{22,43})(?![\w-])"),
    _form("Databricks token", "dapi", rb"\bdapi[0-9a-f]{32}(?:-\d)?\b"),
    _form("Linear key", "lin_api_", rb"\blin_api_[A-Za-z0-9]{40}\b"),
    _form("Doppler token", "dp.pt. dp.st. dp.ct. dp.sa.", rb"\bdp\.(?:pt|st|ct|sa)\.[A-Za-z0-9._]{40,}\b"),
    _form("HashiCorp Vault token", "hvs. hvb.", rb"\b(?:hvs\.[\w-]{90,}|hvb\.[\w-]{138,})"),
    _form("Terraform token", ".atlasv1.", rb"\b[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}", inner=True),
    _form("age secret key", "AGE-SECRET-KEY-1", rb"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
    _form("Sentry token", "sntrys_ sntryu_", rb"\bsntry[su]_[A-Za-z0-9+/=_]{60,}"),
    _form("Grafana token", "glsa_ glc_", rb"\b(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2})"),
    _form("New Relic key", "NRAK- NRJS- NRII-", rb"\b(?:NRAK-[A-Za-z0-9]{27}|NRJS-[0-9a-f]{19}|NRII-[\w-]{32})\b"),
    _form("Postman key", "PMAK-", rb"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b"),
    _form("Azure storage key", "AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}==", inner=True),
    _form("Azure client secret", "8Q~ 7Q~ 6Q~ 5Q~ 4Q~ 3Q~ 2Q~ 1Q~ 0Q~ 9Q~", rb"(?<![\w.~-])[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",
          inner=True),
    _form("Alibaba key", "LTAI", rb"\bLTAI[A-Za-z0-9]{20}\b"),
    _form("Atlassian token", "ATATT3", rb"\bATATT3[\w=-]{180,}"),
    _form("Docker Hub token", "dckr_pat_", rb"\bdckr_pat_[\w-]{27}(?![\w-])"),
    _form("Notion token", "ntn_", rb"\bntn_[A-Za-z0-9]{46}\b"),
    _form("Supabase key", "sbp_ sbs_", rb"\bsb[ps]_[a-z0-9]{40}\b"),
    _form("PlanetScale key", "pscale_", rb"\bpscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}"),
    _form("Prefect key", "pnu_", rb"\bpnu_[A-Za-z0-9]{36}\b"),
    _form("Pulumi token", "pul-", rb"\bpul-[0-9a-f]{40}\b"),
    _form("Fly.io token", "fo1_ fm1r_ fm2_", rb"\b(?:fo1_[\w-]{43}|fm1[ar]_[\w+/=]{100,}|fm2_[\w+/=]{100,})"),
    _form("Artifactory key", "AKCp cmVmdGtu", rb"\b(?:AKCp[A-Za-z0-9]{69}|cmVmdGtu[A-Za-z0-9]{56})\b"),
    _form("Dynatrace token", "dt0c01.", rb"\bdt0c01\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}\b"),
    _form("1Password token", "ops_eyJ", rb"\bops_eyJ[A-Za-z0-9+/]{200,}={0,3}"),
    _form("1Password secret key", "A3-", rb"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b"),
    _form("Duffel token", "duffel_", rb"\bduffel_(?:test|live)_[\w=-]{43}(?![\w=-])"),
    _form("EasyPost key", "EZAK EZTK", rb"\bEZ[AT]K[A-Za-z0-9]{54}\b"),
    _form("Flutterwave key", "FLWSECK_", rb"\bFLWSECK_(?:TEST|LIVE)-[0-9a-h]{32}-X\b"),
    _form("Frame.io token", "fio-u-", rb"\bfio-u-[\w=-]{64}(?![\w=-])"),
    _form("Harness key", "pat. sat.", rb"\b[ps]at\.[\w-]{22}\.[0-9a-zA-Z]{24}\.[0-9a-zA-Z]{20}\b"),
    _form("Infracost key", "ico-", rb"\bico-[A-Za-z0-9]{32}\b"),
    _form("Octopus key", "API-", rb"\bAPI-[A-Z0-9]{26}\b"),
    _form("ReadMe key", "rdme_", rb"\brdme_[a-z0-9]{70}\b"),
    _form("Scalingo token", "tk-us-", rb"\btk-us-[\w-]{48}\b"),
    _form("Shippo token", "shippo_live_ shippo_test_", rb"\bshippo_(?:live|test)_[0-9a-fA-F]{40}\b"),
    _form("Sourcegraph token", "sgp_", rb"\bsgp_(?:[0-9a-fA-F]{16}_|local_)?[0-9a-fA-F]{40}\b"),
    _form("Typeform token", "tfp_", rb"\btfp_[\w.=-]{59}(?![\w.=-])"),
    _form("Contentful token", "CFPAT-", rb"\bCFPAT-[\w-]{43}(?![\w-])"),
    _form("Vercel token", "vercel_", rb"\bvercel_[A-Za-z0-9]{24}\b"),
    _form("Facebook token", "EAAM EAAC", rb"\bEAA[MC][A-Za-z0-9]{100,}\b"),
    _form("Yandex key", "AQVN y0_", rb"\b(?:AQVN[\w-]{35,38}|y0_[\w-]{55,})(?![\w-])"),
    _form("Adobe secret", "p8e-", rb"\bp8e-[A-Za-z0-9]{32}\b"),
    _form("Mapbox secret", "sk.eyJ", rb"\bsk\.eyJ[\w-]{20,}\.[\w-]{22}"),
    _form("Cloudflare origin key", "v1.0-", rb"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{146}\b"),
)  # fmt: skip
QUOTED = tuple(dict.fromkeys(start for form in FORMS if not form.inner for start in form.starts))
"""What follows a quote where a key is written into code."""
EVERYWHERE = tuple(dict.fromkeys(start for form in FORMS if form.inner for start in form.starts))
