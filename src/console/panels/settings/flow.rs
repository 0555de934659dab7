//! The flow picture: who is connected with whom, and what goes where when the agent has ended.

use eframe::egui::{
    Align2, Color32, Painter, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, epaint::CubicBezierShape,
};

use crate::{
    console::{
        theme::{self, Radius, Tokens},
        widgets::elided,
    },
    model::ReturnMethod,
};

/// The picture of one method, as wide as there is room.
pub fn flow_ui(ui: &mut Ui, method: ReturnMethod) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), HEIGHT), Sense::hover());
    let words = in_words(method);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("The way back by {}", method.name())));
    let painter = ui.painter().clone();
    // The arc of REFER and BYE takes room above.
    let (lift, gap) = if method == ReturnMethod::Invite { (14.0, 40.0) } else { (48.0, 22.0) };
    let picture = Picture::new(&painter, tokens, rect, lift, gap);
    match method {
        ReturnMethod::Refer => picture.refer(),
        ReturnMethod::Invite => picture.invite(),
        ReturnMethod::Bye => picture.bye(),
    }
    ui.label(RichText::new(words).size(11.5).color(tokens.text_faint));
}

fn in_words(method: ReturnMethod) -> &'static str {
    match method {
        ReturnMethod::Refer => "Your SBC calls the return URI by itself, tells by NOTIFY how it went, and the bridge leaves",
        ReturnMethod::Invite => "The bridge calls the return URI, connects it with the caller, and stays in between; the agent leaves",
        ReturnMethod::Bye => "The bridge ends the call; your SBC still holds the caller, your system fetches the context by the API",
    }
}

struct Picture<'a> {
    painter: &'a Painter,
    tokens: &'static Tokens,
    customer: Rect,
    bridge: Rect,
    agent: Rect,
    below: f32,
}

impl<'a> Picture<'a> {
    fn new(painter: &'a Painter, tokens: &'static Tokens, rect: Rect, lift: f32, gap: f32) -> Self {
        let width = (rect.width() * 0.21).clamp(106.0, 132.0);
        let box_at = |x: f32| Rect::from_min_size(Pos2::new(x, rect.top() + lift), Vec2::new(width, 42.0));
        let (left, right) = (rect.left() + 10.0, rect.right() - 10.0 - width);
        Self {
            painter,
            tokens,
            customer: box_at(left),
            bridge: box_at((left + right) / 2.0),
            agent: box_at(right),
            below: rect.top() + lift + 42.0 + gap,
        }
    }

    fn refer(&self) {
        let t = self.tokens;
        self.line(self.customer, self.bridge, t.text_faint);
        self.line(self.bridge, self.agent, t.text_faint);
        let (from, to) = (
            Pos2::new(self.bridge.left() + 2.0, self.bridge.top() - 2.0),
            Pos2::new(self.customer.right() - 2.0, self.customer.top() - 2.0),
        );
        self.arc(from, to, "REFER + payload");
        let back = self.under(self.customer);
        self.dashed(self.customer.center_bottom(), back.center_top(), t.returned, true);
        self.boxed(back, "Return URI", t.returned);
        self.parties(false);
    }

    fn invite(&self) {
        let t = self.tokens;
        self.line(self.customer, self.bridge, t.customer);
        self.dashed(self.bridge.right_center(), self.agent.left_center(), t.text_faint, false);
        let back = self.under(self.bridge);
        let (from, to) = (self.bridge.center_bottom(), back.center_top());
        self.painter.line_segment([from, to], Stroke::new(2.0, t.returned));
        self.head(to, Vec2::DOWN, t.returned);
        let label = Rect::from_min_max(Pos2::new(from.x + 12.0, from.y), Pos2::new(self.agent.right(), to.y));
        elided(self.painter, label, Align2::LEFT_CENTER, "INVITE + payload", theme::text(12.5), t.returned);
        self.boxed(back, "Return URI", t.returned);
        self.parties(true);
    }

    fn bye(&self) {
        let t = self.tokens;
        self.dashed(self.customer.right_center(), self.bridge.left_center(), t.text_faint, false);
        self.dashed(self.bridge.right_center(), self.agent.left_center(), t.text_faint, false);
        let (from, to) = (
            Pos2::new(self.bridge.left() + 2.0, self.bridge.top() - 2.0),
            Pos2::new(self.customer.right() - 2.0, self.customer.top() - 2.0),
        );
        self.arc(from, to, "BYE");
        self.parties(true);
        // What the BYE can't carry is fetched.
        let system = self.under(self.customer);
        let (from, to) = (Pos2::new(self.bridge.center().x, self.bridge.bottom()), system.right_center());
        let corner = Pos2::new(from.x, to.y);
        self.dashed(from, corner, t.customer, false);
        self.dashed(corner, to, t.customer, true);
        let label = Rect::from_min_max(Pos2::new(corner.x + 10.0, corner.y - 9.0), Pos2::new(self.agent.right(), corner.y + 9.0));
        elided(self.painter, label, Align2::LEFT_CENTER, "output context", theme::text(12.5), t.text_soft);
        self.boxed(system, "Your system", t.customer);
    }

    fn parties(&self, agent_leaves: bool) {
        let t = self.tokens;
        self.boxed(self.customer, "Customer SBC", t.customer);
        self.boxed(self.bridge, "Bridge", t.text_soft);
        self.boxed(self.agent, "Agent", if agent_leaves { t.wash(t.agent, 0.6) } else { t.agent });
    }

    fn under(&self, of: Rect) -> Rect {
        Rect::from_min_size(Pos2::new(of.left(), self.below), Vec2::new(of.width(), 34.0))
    }

    fn boxed(&self, rect: Rect, name: &str, colour: Color32) {
        let fill = self.tokens.wash(colour, 0.14);
        self.painter.rect(rect, Radius::CONTROL, fill, Stroke::new(1.2, colour), StrokeKind::Inside);
        let text = if name == "Bridge" { self.tokens.text } else { colour };
        elided(self.painter, rect.shrink2(Vec2::new(6.0, 0.0)), Align2::CENTER_CENTER, name, theme::text(12.5), text);
    }

    fn line(&self, from: Rect, to: Rect, colour: Color32) {
        self.painter.line_segment([from.right_center(), to.left_center()], Stroke::new(1.5, colour));
    }

    fn arc(&self, from: Pos2, to: Pos2, label: &str) {
        let lift = Vec2::new(0.0, -34.0);
        let stroke = Stroke::new(2.0, self.tokens.returned);
        let curve = [from, from + lift - Vec2::new(18.0, 0.0), to + lift + Vec2::new(18.0, 0.0), to];
        self.painter.add(CubicBezierShape::from_points_stroke(curve, false, Color32::TRANSPARENT, stroke));
        self.head(to, Vec2::new(-0.45, 0.9), self.tokens.returned);
        let room = Rect::from_min_max(Pos2::new(to.x - 60.0, from.y - 46.0), Pos2::new(from.x + 60.0, from.y - 28.0));
        elided(self.painter, room, Align2::CENTER_CENTER, label, theme::text(12.5), self.tokens.returned);
    }

    fn dashed(&self, from: Pos2, to: Pos2, colour: Color32, arrow: bool) {
        self.painter.extend(Shape::dashed_line(&[from, to], Stroke::new(1.6, colour), 4.0, 4.0));
        if arrow {
            self.head(to, (to - from).normalized(), colour);
        }
    }

    /// The head of an arrow of one size, whatever the arrow's length.
    fn head(&self, tip: Pos2, along: Vec2, colour: Color32) {
        let along = along.normalized();
        let back = tip - along * 8.0;
        let side = along.rot90() * 4.0;
        self.painter.add(Shape::convex_polygon(vec![tip, back + side, back - side], colour, Stroke::NONE));
    }
}

const HEIGHT: f32 = 150.0;
