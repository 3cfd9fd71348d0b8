// Small things that the pages of the shop do on the visitor's side.

function showCampaign() {
  const campaign = new URLSearchParams(window.location.search).get("campaign");
  if (campaign) {
    document.getElementById("campaign").innerHTML = "Welcome from <b>" + campaign + "</b>";
  }
}

function showSearched() {
  const words = new URLSearchParams(window.location.search).get("q");
  if (words) {
    document.getElementById("searched").textContent = "You searched for " + words;
  }
}

async function addToBasket(product) {
  const form = new URLSearchParams({ product: String(product), count: "1" });
  const answer = await fetch("/basket", { method: "POST", body: form });
  return answer.json();
}

document.addEventListener("DOMContentLoaded", () => {
  showCampaign();
  showSearched();
  document.querySelectorAll("[data-product]").forEach((button) => {
    button.addEventListener("click", () => addToBasket(button.dataset.product));
  });
});
