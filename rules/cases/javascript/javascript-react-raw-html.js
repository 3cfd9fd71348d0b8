import DOMPurify from "dompurify";

export function Comment({ comment }) {
  // ruleid: javascript-react-raw-html
  return <div dangerouslySetInnerHTML={{ __html: comment.body }} />;
}

export function Note({ text }) {
  const html = text.replace("\n", "<br>");
  // ruleid: javascript-react-raw-html
  return <p className="note" dangerouslySetInnerHTML={{ __html: html }} />;
}

export function CleanComment({ comment }) {
  // ok: javascript-react-raw-html
  return <div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(comment.body) }} />;
}

export function TextComment({ comment }) {
  // ok: javascript-react-raw-html
  return <div>{comment.body}</div>;
}

export function Rule() {
  // ok: javascript-react-raw-html
  return <div dangerouslySetInnerHTML={{ __html: "<hr>" }} />;
}
