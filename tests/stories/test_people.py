"""Customers and members find, lose and find each other again; seen from WeCom's side and through the API."""

from tests.shop import Shop


def test_a_customer_who_adds_a_member_is_a_contact_with_name_and_source(shop: Shop) -> None:  # C1 C3 C5
    anna = shop.wecom.add_contact("Anna", staff="lily", state="门店A", unionid="o-anna", gender=2)
    shop.run_jobs()
    customer = shop.api.customer(anna)
    assert (customer["name"], customer["gender"], customer["unionid"]) == ("Anna", "female", "o-anna")
    (contact,) = customer["contacts"]
    assert (contact["userid"], contact["status"], contact["state"]) == ("lily", "active", "门店A")
    assert customer["source"]["first"]["state"] == "门店A"
    assert customer["lifecycle"] == "contact"
